#include "worker/runtime/process_user.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_number(const char *text, long *ret_number)
{
    char *end;
    errno = 0;
    *ret_number = strtol(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && *ret_number >= 0 &&
           *ret_number < 0xFFFFFFFFL;
}

static bool find_user(const char *name, struct process_user *user)
{
    long number;
    bool is_number = read_number(name, &number);
    const struct passwd *entry = is_number ? getpwuid((uid_t)number) : getpwnam(name);
    if (!entry && !is_number)
        return false;
    user->uid = entry ? entry->pw_uid : (uid_t)number;
    user->gid = entry ? entry->pw_gid : (gid_t)number;
    return true;
}

static bool find_group(const char *name, struct process_user *user)
{
    long number;
    if (read_number(name, &number)) {
        user->gid = (gid_t)number;
        return true;
    }
    const struct group *entry = getgrnam(name);
    if (entry)
        user->gid = entry->gr_gid;
    return entry != NULL;
}

int process_user_find(const char *text, struct process_user *ret_user, struct err *err)
{
    *ret_user = (struct process_user){.uid = geteuid(), .gid = getegid()};
    if (!text)
        return 0;
    _cleanup_free_ char *copy = mem_strdup(text);
    char *group = copy;
    const char *name = strsep(&group, ":");
    if (!find_user(name, ret_user))
        return err_set(err, ERR_INVALID, "the node has no user \"%s\"", name);
    if (group && !find_group(group, ret_user))
        return err_set(err, ERR_INVALID, "the node has no group \"%s\"", group);
    ret_user->is_other = ret_user->uid != geteuid() || ret_user->gid != getegid();
    if (ret_user->is_other && geteuid() != 0)
        return err_set(err, ERR_REFUSED, "the worker may not run a process as \"%s\"", text);
    return 0;
}
