/* Time zones: files to tables, for the core. */
#include "manager/shell/shell_state.h"

int manager_shell_learn_zone(struct manager_shell *shell, const struct job_spec *spec,
                             struct err *err)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct timezone table;
    const void *bytes;
    size_t length;
    const char *name = spec->schedule ? spec->schedule->timezone : NULL;
    struct zones *zones = shell->config.zones;
    if (!name || !timezone_name_is_valid(name) || manager_knows_zone(shell->manager, name))
        return 0;
    if (!zones)
        return err_set(err, ERR_NOT_FOUND, "there is only UTC here");
    int result = zones->read(zones, name, &arena, &bytes, &length, err);
    if (!result && (result = timezone_parse(bytes, length, &arena, &table)))
        return err_set(err, ERR_CORRUPT, "its file is damaged");
    if (result)
        return result;
    struct zone_event zone = {name, &table};
    manager_shell_step(shell, &(struct manager_event){.kind = EVENT_ZONE, .zone = &zone});
    return 0;
}
