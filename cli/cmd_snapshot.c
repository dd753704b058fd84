/* argosy snapshot: the cluster as a scheduler sees it, as JSON. */
#include "cli/format.h"
#include "cli/snapshot.h"
#include "schema/codec/codec.h"

#include <stdio.h>

int cmd_snapshot(struct cli *cli)
{
    _cleanup_client_ struct client *client = NULL;
    int code = client_open(cli, ANSWER_TIMEOUT_MS, &client);
    if (code == CLI_OK)
        code = snapshot_hear(client);
    if (code != CLI_OK)
        return code;
    client_note_manager(client);
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    struct cluster_snapshot snapshot;
    snapshot_of(client_picture(client), format_now_ms(), &arena, &snapshot);
    codec_encode(&cluster_snapshot_record, &snapshot, &json);
    puts(buf_text(&json));
    return CLI_OK;
}
