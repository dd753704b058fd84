/* Version 2 has one hierarchy with all controllers, but a group with processes in it cannot hand
 * controllers to groups below: then the worker moves itself into a group beside its tasks
 * ("argosy-worker"), which is what delegation by systemd expects. Version 1 has a hierarchy per
 * controller and no such rule. */
#include "worker/runtime/process_cgroup.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "worker/runtime/process_files.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CPU_PERIOD_US = 100000, TEXT_LENGTH = 4096 };

static int write_value(const char *directory, const char *file, const char *value)
{
    _cleanup_free_ char *path = mem_printf("%s/%s", directory, file);
    return process_file_write(path, value);
}

static int write_number(const char *directory, const char *file, int64_t value)
{
    _cleanup_free_ char *text = mem_printf("%" PRId64, value);
    return write_value(directory, file, text);
}

static bool read_text(const char *directory, const char *file, char text[TEXT_LENGTH])
{
    _cleanup_free_ char *path = mem_printf("%s/%s", directory, file);
    return process_file_read(path, text, TEXT_LENGTH) >= 0;
}

/* ---- where are they mounted, and where are we? ---- */

/* Whether a comma list holds a word. */
static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length) {
        bool begins = at == list || at[-1] == ',';
        bool ends = at[length] == '\0' || at[length] == ',' || at[length] == '\n';
        if (begins && ends)
            return true;
    }
    return false;
}

/* The mount point of a version 1 controller, or (NULL) of version 2. */
static bool find_mount(const char *controller, char ret_path[CGROUP_PATH_LENGTH])
{
    char line[1024], path[CGROUP_PATH_LENGTH], type[32], options[256];
    bool found = false;
    FILE *mounts = fopen("/proc/self/mounts", "re");
    while (mounts && !found && fgets(line, sizeof(line), mounts)) {
        if (sscanf(line, "%*s %511s %31s %255s", path, type, options) != 3)
            continue;
        found = controller ? strcmp(type, "cgroup") == 0 && list_has(options, controller)
                           : strcmp(type, "cgroup2") == 0;
    }
    if (mounts)
        fclose(mounts);
    if (found)
        memcpy(ret_path, path, CGROUP_PATH_LENGTH);
    return found;
}

/* Our own group below a mount, "" for its root: "4:memory:/a/b" or "0::/a/b". */
static void find_own(const char *controller, char ret_path[CGROUP_PATH_LENGTH])
{
    char line[1024], controllers[256] = "";
    FILE *groups = fopen("/proc/self/cgroup", "re");
    ret_path[0] = '\0';
    while (groups && fgets(line, sizeof(line), groups)) {
        char *path = strrchr(line, ':');
        controllers[0] = '\0';
        sscanf(line, "%*d:%255[^:]", controllers);
        if (!path || (controller ? !list_has(controllers, controller) : controllers[0] != '\0'))
            continue;
        path[strcspn(path, "\n")] = '\0';
        text_copy(ret_path, CGROUP_PATH_LENGTH, strcmp(path + 1, "/") == 0 ? "" : path + 1);
        break;
    }
    if (groups)
        fclose(groups);
}

/* Our own group where it is visible and writable (in a container the path may belong to the host),
 * else the root. */
static bool find_parent(const char *controller, char ret_path[CGROUP_PATH_LENGTH])
{
    char mount[CGROUP_PATH_LENGTH], own[CGROUP_PATH_LENGTH];
    if (!find_mount(controller, mount))
        return false;
    find_own(controller, own);
    int length = snprintf(ret_path, CGROUP_PATH_LENGTH, "%s%s", mount, own);
    if (length >= CGROUP_PATH_LENGTH || access(ret_path, W_OK) < 0)
        memcpy(ret_path, mount, sizeof(mount));
    return access(ret_path, W_OK) == 0;
}

static bool make_below(const char *parent, const char *name, char ret_path[CGROUP_PATH_LENGTH])
{
    int length = snprintf(ret_path, CGROUP_PATH_LENGTH, "%s/%s", parent, name);
    return length < CGROUP_PATH_LENGTH && (mkdir(ret_path, 0755) == 0 || errno == EEXIST);
}

/* ---- the parents ---- */

static bool hand_down(const char *directory)
{
    return write_value(directory, "cgroup.subtree_control", "+cpu +memory +pids") == 0;
}

static bool move_ourselves(const char *parent)
{
    char path[CGROUP_PATH_LENGTH];
    return make_below(parent, "argosy-worker", path) && write_value(path, "cgroup.procs", "0") == 0;
}

static bool find_version_2(const char *name, struct cgroup_root *root)
{
    char parent[CGROUP_PATH_LENGTH], controllers[TEXT_LENGTH];
    if (!find_parent(NULL, parent) || !read_text(parent, "cgroup.controllers", controllers) ||
        !strstr(controllers, "memory"))
        return false;
    if (!hand_down(parent) && !(move_ourselves(parent) && hand_down(parent)))
        return false;
    if (!make_below(parent, name, root->paths[0]) || !hand_down(root->paths[0]))
        return false;
    root->count = 1;
    root->has_memory = true;
    return true;
}

void cgroup_root_find(const char *node, struct cgroup_root *ret_root)
{
    static const char *const controllers[CGROUP_HIERARCHIES] = {"memory", "cpu", "pids"};
    _cleanup_free_ char *name = mem_printf("argosy-%s", node);
    struct cgroup_root *root = ret_root;
    *root = (struct cgroup_root){0};
    if (find_version_2(name, root))
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(controllers); i++) {
        char parent[CGROUP_PATH_LENGTH];
        if (!find_parent(controllers[i], parent) ||
            !make_below(parent, name, root->paths[root->count]))
            continue;
        root->has_memory |= strcmp(controllers[i], "memory") == 0;
        root->count++;
    }
}

void cgroup_root_remove(const struct cgroup_root *root)
{
    for (size_t i = 0; i < root->count; i++)
        rmdir(root->paths[i]);
}

/* ---- one task ---- */

/* Files that a group does not have (of another controller or version) are not written: no harm. */
static void set_limits(const char *path, const struct cgroup_limits *limits)
{
    int64_t quota_us = limits->cpu_millis * CPU_PERIOD_US / 1000;
    if (limits->cpu_millis > 0) {
        _cleanup_free_ char *max = mem_printf("%" PRId64 " %d", quota_us, CPU_PERIOD_US);
        write_value(path, "cpu.max", max);
        write_number(path, "cpu.cfs_period_us", CPU_PERIOD_US);
        write_number(path, "cpu.cfs_quota_us", quota_us);
    }
    if (limits->memory_bytes > 0) {
        write_number(path, "memory.max", limits->memory_bytes);
        write_number(path, "memory.swap.max", 0);
        write_number(path, "memory.limit_in_bytes", limits->memory_bytes);
        write_number(path, "memory.memsw.limit_in_bytes", limits->memory_bytes);
    }
    write_number(path, "pids.max", limits->pids);
}

void cgroup_create(const struct cgroup_root *root, const char *name,
                   const struct cgroup_limits *limits, struct cgroup_set *ret_set)
{
    *ret_set = (struct cgroup_set){0};
    for (size_t i = 0; i < root->count; i++) {
        if (make_below(root->paths[i], name, ret_set->paths[ret_set->count])) {
            set_limits(ret_set->paths[ret_set->count], limits);
            ret_set->count++;
        }
    }
}

bool cgroup_had_oom(const struct cgroup_set *set)
{
    static const char *const files[] = {"memory.events", "memory.oom_control"};
    char text[TEXT_LENGTH];
    for (size_t i = 0; i < set->count; i++) {
        for (size_t file = 0; file < ARRAY_LENGTH(files); file++) {
            const char *line =
                read_text(set->paths[i], files[file], text) ? strstr(text, "oom_kill ") : NULL;
            if (line && strtol(line + strlen("oom_kill "), NULL, 10) > 0)
                return true;
        }
    }
    return false;
}

void cgroup_kill(const struct cgroup_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        _cleanup_free_ char *path = mem_printf("%s/cgroup.procs", set->paths[i]);
        FILE *processes = fopen(path, "re");
        int pid;
        while (processes && fscanf(processes, "%d", &pid) == 1)
            kill(pid, SIGKILL);
        if (processes)
            fclose(processes);
    }
}

void cgroup_remove(const struct cgroup_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        rmdir(set->paths[i]);
}
