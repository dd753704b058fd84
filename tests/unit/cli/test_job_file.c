/* Job files: YAML to JSON as the schema wants it, and the places of what is wrong. */
#include "tests/unit/unit.h"

#include "cli/job_file.h"

#include <string.h>

static struct job_file *parse(const char *text)
{
    return job_file_parse("job.yaml", text, strlen(text));
}

static void assert_json(const char *yaml, const char *expected)
{
    size_t length;
    struct job_file *file = parse(yaml);
    assert_int_equal(job_file_error_count(file), 0);
    assert_int_equal(job_file_count(file), 1);
    assert_string_equal(job_file_json(file, 0, &length), expected);
    assert_int_equal(length, strlen(expected));
    job_file_free(file);
}

static void assert_place(const char *yaml, const char *pointer, bool key, int line, int column)
{
    struct job_file *file = parse(yaml);
    struct place place = job_file_place(file, 0, pointer, key);
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
    job_file_free(file);
}

static void text_stays_as_it_is_written_where_the_schema_wants_text(void **state)
{
    (void)state;
    assert_json(
        "env: {A: no, B: 1.10, C: 0x1F, D: 12:30:00, E: true}",
        "{\"env\":{\"A\":\"no\",\"B\":\"1.10\",\"C\":\"0x1F\",\"D\":\"12:30:00\",\"E\":\"true\"}}");
    assert_json("command: [sleep, 3600]", "{\"command\":[\"sleep\",\"3600\"]}");
    assert_json("user: 1000", "{\"user\":\"1000\"}");
}

static void a_port_is_no_sexagesimal_number(void **state)
{
    (void)state;
    assert_json("ports: [8080:80, \"9000:9000\", 22]",
                "{\"ports\":[\"8080:80\",\"9000:9000\",\"22\"]}");
}

static void numbers_and_booleans_follow_the_core_schema(void **state)
{
    (void)state;
    assert_json("count: 0x10", "{\"count\":16}");
    assert_json("count: 0o17", "{\"count\":15}");
    assert_json("count: 007", "{\"count\":7}");
    assert_json("count: +3", "{\"count\":3}");
    assert_json("resources: {cpu: .5}", "{\"resources\":{\"cpu\":0.5}}");
    assert_json("resources: {cpu: 1.}", "{\"resources\":{\"cpu\":1}}");
    assert_json("resources: {cpu: 2.5e-1}", "{\"resources\":{\"cpu\":2.5e-1}}");
    assert_json("resources: {cpu: .inf}", "{\"resources\":{\"cpu\":\".inf\"}}");
    assert_json("read_only: True", "{\"read_only\":true}");
    assert_json("read_only: yes", "{\"read_only\":\"yes\"}");
    assert_json("count: '3'", "{\"count\":\"3\"}");
    assert_json("count: ~", "{\"count\":null}");
    assert_json("user: !!str 5", "{\"user\":\"5\"}");
}

static void anchors_and_merge_keys_are_resolved(void **state)
{
    (void)state;
    assert_json("env: &e {A: 1}\nlabels: *e", "{\"env\":{\"A\":\"1\"},\"labels\":{\"A\":\"1\"}}");
    assert_json("tasks:\n- &t {name: a, count: 2}\n- {<<: *t, name: b}",
                "{\"tasks\":[{\"name\":\"a\",\"count\":2},{\"count\":2,\"name\":\"b\"}]}");
}

static void documents_are_jobs_and_empty_ones_are_none(void **state)
{
    (void)state;
    struct job_file *file = parse("name: a\n---\n# nothing\n---\nname: b\n");
    assert_int_equal(job_file_count(file), 2);
    assert_int_equal(job_file_error_count(file), 0);
    job_file_free(file);
}

static void a_duplicate_key_is_an_error_with_its_place(void **state)
{
    (void)state;
    struct place place;
    struct job_file *file = parse("name: a\nimage: x\nname: b\n");
    assert_int_equal(job_file_count(file), 0);
    assert_int_equal(job_file_error_count(file), 1);
    assert_string_equal(job_file_error(file, 0, &place), "duplicate key");
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 1);
    assert_int_equal(place.width, 4);
    job_file_free(file);
}

static void documents_before_a_syntax_error_are_kept(void **state)
{
    (void)state;
    struct job_file *file = parse("name: a\n---\nname: [b\n");
    assert_int_equal(job_file_count(file), 1);
    assert_int_equal(job_file_error_count(file), 1);
    job_file_free(file);
}

static void json_is_passed_on_byte_for_byte(void **state)
{
    (void)state;
    size_t length;
    const char *text = "{\"name\": \"a\",\n \"env\": {\"A\": 1.10, \"B\": \"\\ud83d\\ude00\"}}";
    struct job_file *file = job_file_parse("job.json", text, strlen(text));
    assert_int_equal(job_file_count(file), 1);
    assert_string_equal(job_file_json(file, 0, &length), text);
    struct place place = job_file_place(file, 0, "/env/B", false);
    assert_int_equal(place.line, 2);
    job_file_free(file);
}

static void a_pointer_stands_at_its_value_or_at_its_key(void **state)
{
    (void)state;
    static const char yaml[] =
        "name: a\ntasks:\n  - name: t\n    resources: {cpu: 1, memory: 64m}\n";
    assert_place(yaml, "/tasks/0/resources/memory", false, 4, 33);
    assert_place(yaml, "/tasks/0/resources/memory", true, 4, 25);
    assert_place(yaml, "/tasks/0/resources", false, 4, 5);
}

static void a_pointer_to_what_is_missing_stands_at_the_nearest_parent(void **state)
{
    (void)state;
    static const char yaml[] = "name: a\ntasks:\n  - name: t\n";
    assert_place(yaml, "/tasks/0/image", false, 3, 5);
    assert_place(yaml, "/tasks/7/image", false, 2, 1);
    assert_place(yaml, "/nothing/at/all", false, 1, 1);
}

static void a_folded_job_is_found_by_the_pointers_of_its_long_form(void **state)
{
    (void)state;
    assert_place("name: a\ncount: 3\n", "/tasks/0/count", false, 2, 8);
    assert_place("name: a\ncount: 3\n", "/count", false, 2, 8);
}

static void escaped_pointers_and_characters_beyond_ascii_are_counted_as_people_do(void **state)
{
    (void)state;
    assert_place("env: {\"a/b~c\": 1, ä: x}\n", "/env/a~1b~0c", false, 1, 16);
    assert_place("env: {\"ä\": x, é: y}\n", "/env/é", false, 1, 18);
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct job_file *file = job_file_parse("job.yaml", "name: a\0b", 9);
    assert_int_equal(job_file_count(file), 0);
    assert_int_equal(job_file_error_count(file), 1);
    job_file_free(file);
}

static void bytes_that_are_no_utf8_are_refused_before_the_parser_sees_them(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "%am\xc8", "a: \x80", "a: \xc0\xaf", "a: \xed\xa0\x80", "a: \xf4\x90\x80\x80", "a: \xff"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct place place;
        struct job_file *file = parse(texts[i]);
        assert_int_equal(job_file_count(file), 0);
        assert_int_equal(job_file_error_count(file), 1);
        assert_string_equal(job_file_error(file, 0, &place), "this is no UTF-8");
        assert_int_equal(place.line, 1);
        assert_int_equal(place.column, 4);
        job_file_free(file);
    }
    struct job_file *file = parse("name: \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_int_equal(job_file_count(file), 1);
    job_file_free(file);
}

static void a_list_is_no_job(void **state)
{
    (void)state;
    struct place place;
    struct job_file *file = parse("- a\n- b\n");
    assert_int_equal(job_file_count(file), 0);
    assert_int_equal(job_file_error_count(file), 1);
    assert_string_equal(job_file_error(file, 0, &place), "a job is a mapping of keys to values");
    job_file_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_as_it_is_written_where_the_schema_wants_text),
        cmocka_unit_test(a_port_is_no_sexagesimal_number),
        cmocka_unit_test(numbers_and_booleans_follow_the_core_schema),
        cmocka_unit_test(anchors_and_merge_keys_are_resolved),
        cmocka_unit_test(documents_are_jobs_and_empty_ones_are_none),
        cmocka_unit_test(a_duplicate_key_is_an_error_with_its_place),
        cmocka_unit_test(documents_before_a_syntax_error_are_kept),
        cmocka_unit_test(json_is_passed_on_byte_for_byte),
        cmocka_unit_test(a_pointer_stands_at_its_value_or_at_its_key),
        cmocka_unit_test(a_pointer_to_what_is_missing_stands_at_the_nearest_parent),
        cmocka_unit_test(a_folded_job_is_found_by_the_pointers_of_its_long_form),
        cmocka_unit_test(escaped_pointers_and_characters_beyond_ascii_are_counted_as_people_do),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(bytes_that_are_no_utf8_are_refused_before_the_parser_sees_them),
        cmocka_unit_test(a_list_is_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
