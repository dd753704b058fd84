/* argosy nodes [NODE]: from what nodes and manager have retained. */
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instances_print.h"
#include "cli/table.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/labels.h"
#include "schema/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Everything that is known of one node; any may be NULL. */
struct node {
    const char *id;
    const struct presence_document *presence;
    const struct node_info *info;
    const struct node_desired *desired;
    const struct number_map *metrics;
};

static struct node node_of(const struct picture *picture, const char *id)
{
    struct node node = {
        .id = id,
        .presence = picture_find(picture, TOPIC_NODE_STATUS, id, NULL),
        .info = picture_find(picture, TOPIC_NODE_INFO, id, NULL),
        .desired = picture_find(picture, TOPIC_NODE_DESIRED, id, NULL),
        .metrics = picture_find(picture, TOPIC_NODE_METRICS, id, NULL),
    };
    if (node.desired && node.desired->head.tombstone)
        node.desired = NULL;
    return node;
}

static const char *state_word(const struct node *node)
{
    if (!node->presence)
        return "unknown";
    return node->presence->state == PRESENCE_ONLINE ? "online" : "offline";
}

/* NAN-free: false when the node has not told it. */
static bool metric(const struct node *node, const char *name, double *ret_value)
{
    for (size_t i = 0; node->metrics && i < node->metrics->count; i++)
        if (strcmp(node->metrics->items[i].key, name) == 0) {
            *ret_value = node->metrics->items[i].value;
            return true;
        }
    return false;
}

static const char *size_cell(struct arena *arena, int64_t bytes)
{
    char text[QUANTITY_TEXT_LENGTH];
    size_format(bytes, text);
    return arena_strdup(arena, text);
}

static const char *cpu_cell(struct arena *arena, const struct node *node)
{
    char text[QUANTITY_TEXT_LENGTH];
    if (!node->info)
        return NULL;
    cpu_format(node->info->capacity.cpu_millis, text);
    return arena_strdup(arena, text);
}

static const char *load_cell(struct arena *arena, const struct node *node)
{
    double load;
    return metric(node, "load1", &load) ? arena_printf(arena, "%.2f", load) : NULL;
}

static const char *free_cell(struct arena *arena, const struct node *node)
{
    double bytes;
    return metric(node, "mem_available_bytes", &bytes) ? size_cell(arena, (int64_t)bytes) : NULL;
}

static const char *heard_cell(struct arena *arena, const struct node *node)
{
    double ms;
    return metric(node, "ts_ms", &ms) ? format_age(arena, (int64_t)ms, format_now_ms()) : NULL;
}

static const char *labels_cell(struct arena *arena, const struct node *node)
{
    static const struct string_map none = {0};
    struct string_map labels;
    if (labels_merge(node->info ? &node->info->labels : &none,
                     node->desired ? &node->desired->labels : &none, arena, &labels))
        return NULL;
    return labels.count ? format_labels(arena, &labels) : NULL;
}

static const char *eligible_cell(const struct node *node)
{
    return !node->desired ? NULL : node->desired->eligible ? "yes" : "no";
}

static const char *tint(const struct node *node)
{
    bool online = node->presence && node->presence->state == PRESENCE_ONLINE;
    return !online ? "red" : node->desired && !node->desired->eligible ? "yellow" : "green";
}

static void add_row(struct table *table, struct arena *arena, const struct node *node)
{
    const struct node_info *info = node->info;
    const char *cells[] = {
        node->id,
        state_word(node),
        eligible_cell(node),
        info ? info->datacenter : NULL,
        cpu_cell(arena, node),
        info ? size_cell(arena, info->capacity.memory_bytes) : NULL,
        load_cell(arena, node),
        free_cell(arena, node),
        node->desired ? arena_printf(arena, "%zu", node->desired->assignments.count) : NULL,
        heard_cell(arena, node),
        info ? format_list(arena, &info->runtimes) : NULL,
        labels_cell(arena, node),
    };
    table_row(table, cells, 1, tint(node));
}

/* Nodes are those that have ever said that they are online, or told what they are. */
static bool is_listed(const struct picture *picture, const struct picture_entry *entry)
{
    return entry->topic.kind == TOPIC_NODE_STATUS ||
           !picture_find(picture, TOPIC_NODE_STATUS, entry->topic.level[0], NULL);
}

static void for_each_node(const struct picture *picture,
                          void (*visit)(void *context, const struct node *node), void *context)
{
    static const enum topic_kind kinds[] = {TOPIC_NODE_STATUS, TOPIC_NODE_INFO};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        const struct picture_entry *entry = NULL;
        while ((entry = picture_next(picture, kinds[i], entry))) {
            if (!is_listed(picture, entry))
                continue;
            struct node node = node_of(picture, entry->topic.level[0]);
            visit(context, &node);
        }
    }
}

struct listing {
    struct table *table;
    struct arena arena;
    struct buf json;
};

static void visit_row(void *context, const struct node *node)
{
    struct listing *listing = context;
    add_row(listing->table, &listing->arena, node);
}

static void add_node_json(struct buf *json, const struct node *node)
{
    buf_printf(json, "{\"id\":\"%s\",\"state\":\"%s\"", node->id, state_word(node));
    if (node->info) {
        buf_add_text(json, ",\"info\":");
        codec_encode(&node_info_record, node->info, json);
    }
    if (node->desired) {
        buf_add_text(json, ",\"desired\":");
        codec_encode(&node_desired_record, node->desired, json);
    }
    if (node->metrics) {
        buf_add_text(json, ",\"metrics\":");
        codec_encode_metrics(node->metrics, json);
    }
}

static void visit_json(void *context, const struct node *node)
{
    struct listing *listing = context;
    buf_add_text(&listing->json, listing->json.length ? "," : "");
    add_node_json(&listing->json, node);
    buf_add_char(&listing->json, '}');
}

static void show_all(const struct cli *cli, const struct picture *picture)
{
    static const struct table_column columns[] = {
        {"NODE", 0},           {"STATE", 0},
        {"ELIGIBLE", 0},       {"DATACENTER", 0},
        {"CPU", TABLE_RIGHT},  {"MEMORY", TABLE_RIGHT},
        {"LOAD", TABLE_RIGHT}, {"FREE", TABLE_RIGHT},
        {"JOBS", TABLE_RIGHT}, {"HEARD", TABLE_RIGHT},
        {"RUNTIMES", 0},       {"LABELS", TABLE_CUT},
    };
    struct listing listing = {0};
    if (cli->json) {
        for_each_node(picture, visit_json, &listing);
        printf("{\"nodes\":[%s]}\n", buf_text(&listing.json));
    } else {
        listing.table = table_new(columns, ARRAY_LENGTH(columns), cli->color);
        for_each_node(picture, visit_row, &listing);
        table_print(listing.table);
        table_free(listing.table);
    }
    arena_release(&listing.arena);
    buf_release(&listing.json);
}

/* ---- one node -------------------------------------------------------------------------------- */

static void print_info(const struct node_info *info)
{
    struct arena arena = ARENA_EMPTY;
    char cpu[QUANTITY_TEXT_LENGTH];
    cpu_format(info->capacity.cpu_millis, cpu);
    printf("  datacenter  %s\n", info->datacenter ? info->datacenter : "-");
    printf("  address     %s\n", info->address ? info->address : "-");
    printf("  capacity    %s cores, %s memory, %s disk\n", cpu,
           size_cell(&arena, info->capacity.memory_bytes),
           size_cell(&arena, info->capacity.disk_bytes));
    printf("  runtimes    %s\n", format_list(&arena, &info->runtimes));
    printf("  labels      %s\n", format_labels(&arena, &info->labels));
    printf("  attributes  %s\n", format_labels(&arena, &info->attributes));
    printf("  version     %s\n", info->version ? info->version : "-");
    arena_release(&arena);
}

static void print_node(const struct cli *cli, const struct node *node,
                       const struct instances *instances)
{
    struct arena arena = ARENA_EMPTY;
    const char *heard = heard_cell(&arena, node), *load = load_cell(&arena, node),
               *memory = free_cell(&arena, node);
    printf("%s: %s", node->id, state_word(node));
    if (node->presence)
        printf(" for %s", format_age(&arena, node->presence->since_ms, format_now_ms()));
    puts(node->desired && !node->desired->eligible ? ", not eligible for new work" : "");
    if (node->info)
        print_info(node->info);
    if (node->desired && node->desired->labels.count)
        printf("  set labels  %s\n", format_labels(&arena, &node->desired->labels));
    if (heard)
        printf("  heartbeat   %s ago, load %s, %s memory free\n", heard, load ? load : "-",
               memory ? memory : "-");
    putchar('\n');
    instances_print(cli, instances);
    arena_release(&arena);
}

static int show_one(struct cli *cli, const struct picture *picture, const char *id)
{
    _cleanup_instances_ struct instances instances = {0};
    struct node node = node_of(picture, id);
    if (!node.presence && !node.info && !node.desired)
        return cli_fail(cli, CLI_FAILED, "there is no node %s", id);
    instances_collect(&instances, picture, NULL, id, false);
    if (cli->json) {
        _cleanup_buf_ struct buf json = BUF_EMPTY;
        add_node_json(&json, &node);
        buf_add_char(&json, ',');
        instances_add_json(&instances, &json);
        printf("%s}\n", buf_text(&json));
    } else {
        print_node(cli, &node, &instances);
    }
    return CLI_OK;
}

int cmd_nodes(struct cli *cli)
{
    const char *id = cli->operand_count ? cli->operands[0] : NULL;
    const char *nodes = id ? id : "+";
    const struct client_filter filters[] = {
        {TOPIC_NODE_STATUS, nodes, NULL},  {TOPIC_NODE_INFO, nodes, NULL},
        {TOPIC_NODE_DESIRED, nodes, NULL}, {TOPIC_NODE_METRICS, nodes, NULL},
        {TOPIC_NODE_ASSIGN, nodes, "+"},   {TOPIC_NODE_STATE, nodes, "+"},
    };
    _cleanup_client_ struct client *client = NULL;
    if (id && !node_id_is_valid(id))
        return cli_usage_error(cli->command, "\"%s\" is no node id", id);
    int code = client_open(cli, ANSWER_TIMEOUT_MS, &client);
    if (code == CLI_OK) /* what runs there is only wanted for one */
        code = client_hear(client, filters, id ? ARRAY_LENGTH(filters) : 4);
    if (code != CLI_OK)
        return code;
    client_note_manager(client);
    if (id)
        return show_one(cli, client_picture(client), id);
    show_all(cli, client_picture(client));
    return CLI_OK;
}
