/* What the engine is asked. */
#include "tests/unit/unit.h"

#include "platform/base/mem.h"
#include "schema/codec/json_reader.h"
#include "worker/runtime/docker_body.h"

#include <stdlib.h>
#include <string.h>

static struct task_spec task_with(const char **command, size_t count)
{
    return (struct task_spec){
        .name = "web",
        .image = "busybox:1",
        .command = {command, count},
        .resources = {.cpu_millis = 250, .memory_bytes = 64, .memory_max_bytes = UNSET},
        .stop = {.signal = "SIGUSR1"},
    };
}

static struct json *body_of(const struct task_spec *task, const struct runtime_port_binding *ports,
                            size_t count)
{
    static const char *const env[] = {"ARGOSY_JOB=web", NULL};
    struct runtime_start start = {
        .task_id = "web_web_0_a", .run = 2, .job = "web", .term = 7, .task = task, .env = env};
    struct container_request request = {
        .node = "n1", .cluster = "c1", .start = &start, .ports = ports, .port_count = count};
    _cleanup_buf_ struct buf out = BUF_EMPTY;
    struct json *tree = NULL;
    struct err err = {0};
    assert_int_equal(container_body(&request, &out, &err), 0);
    assert_int_equal(json_parse(out.data, out.length, &tree, &err), 0);
    return tree;
}

static void assert_item(const struct json *list, int index, const char *expected)
{
    const struct json *item = json_first(list);
    while (index-- > 0)
        item = json_next(item);
    assert_string_equal(json_text(item), expected);
}

static void test_a_container_is_hardened_limited_and_never_restarted_by_the_engine(void **state)
{
    (void)state;
    const char *command[] = {"sh", "-c", "echo \"quoted\"\n"};
    struct task_spec task = task_with(command, 3);
    _cleanup_json_ struct json *body = body_of(&task, NULL, 0);
    const struct json *host = json_get(body, "HostConfig");
    assert_string_equal(json_text(json_get(body, "Image")), "busybox:1");
    assert_item(json_get(body, "Cmd"), 2, "echo \"quoted\"\n");
    assert_string_equal(json_text(json_get(body, "StopSignal")), "SIGUSR1");
    assert_int_equal(json_int(json_get(host, "NanoCpus"), 0), 250000000);
    assert_int_equal(json_int(json_get(host, "Memory"), 0), 64);
    assert_int_equal(json_int(json_get(host, "MemoryReservation"), 0), 64);
    assert_true(json_int(json_get(host, "PidsLimit"), 0) > 0);
    assert_true(json_is_true(json_get(host, "Init")));
    assert_false(json_is_true(json_get(host, "Privileged")));
    assert_item(json_get(host, "SecurityOpt"), 0, "no-new-privileges");
    assert_string_equal(json_text(json_get(json_get(host, "RestartPolicy"), "Name")), "no");
    assert_string_equal(json_text(json_get(json_get(host, "LogConfig"), "Type")), "json-file");
}

static void test_labels_say_whose_it_is_and_a_specification_cannot_forge_them(void **state)
{
    (void)state;
    struct task_spec task = task_with(NULL, 0);
    struct string_pair labels[] = {{"io.argosy.cluster", "forged"}, {"team", "blue"}};
    task.labels = (struct string_map){labels, 2};
    _cleanup_json_ struct json *body = body_of(&task, NULL, 0);
    const struct json *found = json_get(body, "Labels");
    assert_string_equal(json_text(json_get(found, "io.argosy.cluster")), "c1");
    assert_string_equal(json_text(json_get(found, "io.argosy.node")), "n1");
    assert_string_equal(json_text(json_get(found, "io.argosy.task")), "web_web_0_a");
    assert_string_equal(json_text(json_get(found, "io.argosy.run")), "2");
    assert_string_equal(json_text(json_get(found, "io.argosy.term")), "7");
    assert_string_equal(json_text(json_get(found, "team")), "blue");
}

static void test_the_users_environment_comes_last_so_that_it_wins(void **state)
{
    (void)state;
    struct task_spec task = task_with(NULL, 0);
    struct string_pair env[] = {{"MODE", "edge"}};
    struct runtime_port_binding ports[] = {{.container = 80, .host = 8080}};
    task.env = (struct string_map){env, 1};
    _cleanup_json_ struct json *body = body_of(&task, ports, 1);
    const struct json *list = json_get(body, "Env");
    assert_item(list, 0, "ARGOSY_JOB=web");
    assert_item(list, 1, "ARGOSY_PORT_80=80");
    assert_item(list, 2, "MODE=edge");
}

static void test_two_bindings_of_one_inside_port_are_one_list(void **state)
{
    (void)state;
    struct task_spec task = task_with(NULL, 0);
    struct runtime_port_binding ports[] = {
        {.container = 80, .host = 8080}, {.container = 53, .udp = true}, {.container = 80}};
    _cleanup_json_ struct json *body = body_of(&task, ports, 3);
    const struct json *bindings = json_get(json_get(body, "HostConfig"), "PortBindings");
    const struct json *http = json_first(json_get(bindings, "80/tcp"));
    assert_string_equal(json_text(json_get(http, "HostPort")), "8080");
    assert_string_equal(json_text(json_get(json_next(http), "HostPort")), "");
    assert_null(json_next(json_next(http)));
    assert_non_null(json_first(json_get(bindings, "53/udp")));
}

static void test_volumes_and_devices_are_passed_on(void **state)
{
    (void)state;
    struct task_spec task = task_with(NULL, 0);
    const char *volumes[] = {"data:/var/lib/x", "/etc/acme:/etc/acme:ro"};
    const char *devices[] = {"/dev/a", "/dev/b:/dev/c:r"};
    task.volumes = (struct string_list){volumes, 2};
    task.resources.devices = (struct string_list){devices, 2};
    task.read_only = 1;
    _cleanup_json_ struct json *body = body_of(&task, NULL, 0);
    const struct json *host = json_get(body, "HostConfig");
    assert_item(json_get(host, "Binds"), 0, "data:/var/lib/x");
    assert_item(json_get(host, "Binds"), 1, "/etc/acme:/etc/acme:ro");
    const struct json *device = json_first(json_get(host, "Devices"));
    assert_string_equal(json_text(json_get(device, "PathInContainer")), "/dev/a");
    assert_string_equal(json_text(json_get(device, "CgroupPermissions")), "rwm");
    device = json_next(device);
    assert_string_equal(json_text(json_get(device, "PathOnHost")), "/dev/b");
    assert_string_equal(json_text(json_get(device, "CgroupPermissions")), "r");
    assert_true(json_is_true(json_get(host, "ReadonlyRootfs")));
}

static void assert_split(const char *image, const char *repository, const char *tag)
{
    _cleanup_free_ char *found_repository = NULL;
    _cleanup_free_ char *found_tag = NULL;
    image_split(image, &found_repository, &found_tag);
    assert_string_equal(found_repository, repository);
    assert_string_equal(found_tag, tag);
}

static void test_an_image_is_split_at_its_tag_and_not_at_a_registrys_port(void **state)
{
    (void)state;
    assert_split("nginx", "nginx", "latest");
    assert_split("nginx:1.27", "nginx", "1.27");
    assert_split("host:5000/a/b", "host:5000/a/b", "latest");
    assert_split("host:5000/a/b:x", "host:5000/a/b", "x");
    assert_split("a/b@sha256:00", "a/b@sha256:00", "");
}

static void test_filters_are_encoded_for_a_query(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf out = BUF_EMPTY;
    label_filter("n1", "c1", false, &out);
    assert_string_equal(buf_text(&out), "%7B%22label%22%3A%5B%22io.argosy.node%3Dn1%22%2C%22io."
                                        "argosy.cluster%3Dc1%22%5D%7D");
}

static void a_payload_is_an_archive_of_one_file_that_everybody_may_read(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf archive = BUF_EMPTY;
    payload_archive("hello", 5, &archive);
    assert_int_equal(archive.length, 512 + 512 + 1024);
    assert_string_equal(archive.data, "payload");
    assert_string_equal(archive.data + 100, "0000444");
    assert_string_equal(archive.data + 124, "00000000005");
    assert_memory_equal(archive.data + 257, "ustar\00000", 8);
    assert_memory_equal(archive.data + 512, "hello\0", 6);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)archive.data[i];
    assert_int_equal(strtoul(archive.data + 148, NULL, 8), sum);
}

static void a_payload_of_whole_blocks_is_not_padded(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf archive = BUF_EMPTY;
    char bytes[1024] = "";
    payload_archive(bytes, sizeof(bytes), &archive);
    assert_int_equal(archive.length, 512 + 1024 + 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_is_an_archive_of_one_file_that_everybody_may_read),
        cmocka_unit_test(a_payload_of_whole_blocks_is_not_padded),
        cmocka_unit_test(test_a_container_is_hardened_limited_and_never_restarted_by_the_engine),
        cmocka_unit_test(test_labels_say_whose_it_is_and_a_specification_cannot_forge_them),
        cmocka_unit_test(test_the_users_environment_comes_last_so_that_it_wins),
        cmocka_unit_test(test_two_bindings_of_one_inside_port_are_one_list),
        cmocka_unit_test(test_volumes_and_devices_are_passed_on),
        cmocka_unit_test(test_an_image_is_split_at_its_tag_and_not_at_a_registrys_port),
        cmocka_unit_test(test_filters_are_encoded_for_a_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
