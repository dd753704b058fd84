/* AsyncAPI 3.0 and the plain list of topics, both from TOPIC_TABLE. */
#include "platform/base/mem.h"
#include "schema/tools/gen.h"

#include <ctype.h>
#include <string.h>

/* "NODE_STATE" -> "node_state" */
static void add_lower(struct buf *out, const char *name)
{
    for (; *name; name++)
        buf_add_char(out, (char)tolower((unsigned char)*name));
}

/* Also a string of YAML. */
static void add_string(struct buf *out, const char *text)
{
    json_add_string(out, text, strlen(text));
}

/* ---- topics.json ---- */

static void add_verbs(struct buf *out)
{
    buf_add_text(out, ", \"verbs\": {");
    for (size_t i = 0; i < job_verb_count; i++)
        buf_printf(out, "%s\"%s\": \"%s\"", i ? ", " : "", job_verbs[i].verb,
                   job_verbs[i].document);
    buf_add_char(out, '}');
}

void gen_topics_json(struct buf *out)
{
    buf_add_text(out, "[\n");
    for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KIND_COUNT; kind++) {
        const struct topic_row *row = topic_row((enum topic_kind)kind);
        bool is_command = !strcmp(row->record, "command");
        buf_printf(out, "  {\"topic\": \"%s\", \"qos\": %d, \"retained\": %s", row->pattern,
                   row->qos, row->retained ? "true" : "false");
        if (is_command)
            add_verbs(out);
        else
            buf_printf(out, ", \"schema\": \"%s\"", row->record);
        buf_printf(out, "}%s\n", kind + 1 < TOPIC_KIND_COUNT ? "," : "");
    }
    buf_add_text(out, "]\n");
}

/* ---- AsyncAPI ---- */

static const struct parameter {
    const char *name, *doc, *pattern;
} parameters[] = {
    {"job", "Name of a job.", "[a-z0-9][a-z0-9-]{0,39}"},
    {"node", "Id of a node.", "[a-z0-9][a-z0-9-]{0,62}"},
    {"manager", "Id of a manager.", "[a-z0-9][a-z0-9-]{0,62}"},
    {"task", "Task id: job_task_index_suffix.", "such as web_web_0_7f3k2q2m"},
    {"verb", "What is to be done.", "such as set"},
    {"token", "The caller's token.", "[A-Za-z0-9_-]{1,128}"},
    {"name", "Chosen by the caller.", "[A-Za-z0-9_-]{1,128}"},
    {"kind", "Kind of the event: the word of a reason.", "such as duplicate_node"},
};

/* "nodes/<node>/info" -> "nodes/{node}/info" */
static void add_address(struct buf *out, const char *pattern)
{
    for (; *pattern; pattern++)
        buf_add_char(out, *pattern == '<' ? '{' : *pattern == '>' ? '}' : *pattern);
}

static bool has_parameter(const char *pattern, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strchr(pattern, '<'); at; at = strchr(at + 1, '<'))
        if (!strncmp(at + 1, name, length) && at[1 + length] == '>')
            return true;
    return false;
}

static void add_parameters(struct buf *out, const char *pattern)
{
    if (!strchr(pattern, '<'))
        return;
    buf_add_text(out, "    parameters:\n");
    for (size_t i = 0; i < ARRAY_LENGTH(parameters); i++)
        if (has_parameter(pattern, parameters[i].name))
            buf_printf(out, "      %s:\n        $ref: '#/components/parameters/%s'\n",
                       parameters[i].name, parameters[i].name);
}

static void add_channel(struct buf *out, const struct topic_row *row)
{
    const char *names[4];
    size_t count = topic_documents(row, names);
    buf_add_text(out, "  ");
    add_lower(out, row->name);
    buf_add_text(out, ":\n    address: " ARGOSY_ROOT_DEFAULT "/");
    add_address(out, row->pattern);
    buf_add_text(out, "\n    description: ");
    add_string(out, row->who);
    buf_add_char(out, '\n');
    add_parameters(out, row->pattern);
    buf_add_text(out, "    messages:\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "      %s:\n        $ref: '#/components/messages/%s'\n", names[i],
                   names[i]);
}

static void add_operation(struct buf *out, const struct topic_row *row)
{
    buf_add_text(out, "  publish_");
    add_lower(out, row->name);
    buf_add_text(out, ":\n    action: send\n    channel:\n      $ref: '#/channels/");
    add_lower(out, row->name);
    buf_add_text(out, "'\n    summary: ");
    add_string(out, row->who);
    buf_printf(out,
               "\n    bindings:\n      mqtt:\n        qos: %d\n        retain: %s\n"
               "        bindingVersion: 0.2.0\n",
               row->qos, row->retained ? "true" : "false");
}

static void add_message(struct buf *out, const struct document *document)
{
    buf_printf(out, "    %s:\n      name: %s\n      contentType: application/json\n      summary: ",
               document->name, document->name);
    add_string(out, document->record ? document->record->doc : document->doc);
    buf_printf(out,
               "\n      payload:\n        schemaFormat: application/schema+json;version=draft-07\n"
               "        schema:\n          $ref: ./json/%s.schema.json\n",
               document->name);
}

static void add_components(struct buf *out)
{
    buf_add_text(out, "components:\n  parameters:\n");
    for (size_t i = 0; i < ARRAY_LENGTH(parameters); i++)
        buf_printf(out, "    %s:\n      description: \"%s (%s)\"\n", parameters[i].name,
                   parameters[i].doc, parameters[i].pattern);
    buf_add_text(out, "  messages:\n");
    for (size_t i = 0; i < document_count; i++)
        if (!documents[i].unsent)
            add_message(out, &documents[i]);
}

void gen_asyncapi(struct buf *out)
{
    buf_printf(out,
               "# Generated by argosy-schema-gen from schema/*.c: do not edit.\n"
               "asyncapi: 3.0.0\n"
               "info:\n"
               "  title: Argosy\n"
               "  version: %s\n"
               "  description: >-\n"
               "    Everything that Argosy's processes, scripts and people say to each other over "
               "MQTT.\n"
               "    The root %s is replaced whole by --root.\n"
               "  license:\n"
               "    name: Apache-2.0\n"
               "defaultContentType: application/json\n"
               "servers:\n"
               "  broker:\n"
               "    host: localhost:1883\n"
               "    protocol: mqtt\n"
               "    description: Any broker of MQTT 3.1.1 or 5.\n",
               ARGOSY_VERSION, ARGOSY_ROOT_DEFAULT);
    buf_add_text(out, "channels:\n");
    for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KIND_COUNT; kind++)
        add_channel(out, topic_row((enum topic_kind)kind));
    buf_add_text(out, "operations:\n");
    for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KIND_COUNT; kind++)
        add_operation(out, topic_row((enum topic_kind)kind));
    add_components(out);
}
