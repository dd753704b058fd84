#include "platform/adapters/directory.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int directory_make(const char *path, struct err *err)
{
    _cleanup_free_ char *partial = mem_strdup(path);
    for (char *slash = strchr(partial + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(partial, slash ? 0755 : 0700) && errno != EEXIST)
            return err_set_errno(err, ERR_IO, errno, "cannot make the directory %s", partial);
        if (!slash)
            return 0;
        *slash = '/';
    }
}
