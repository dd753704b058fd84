#include "cli/dev_files.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DEFAULT_PORT = 1883, TAIL_BYTES = 2000 };

/* ---- directories ----------------------------------------------------------------------------- */

/* mkdir -p */
static int make_directories(const char *path, struct err *err)
{
    char part[DEV_PATH_LENGTH + 32];
    for (size_t length = 1; length <= strlen(path); length++) {
        if (path[length] != '/' && path[length] != '\0')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return err_set_errno(err, ERR_IO, errno, "%s cannot be made", part);
    }
    return 0;
}

/* Absolute: the broker's configuration names it. */
static int choose_directory(struct dev_files *files, const char *directory, struct err *err)
{
    char here[DEV_PATH_LENGTH] = "";
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    _cleanup_free_ char *path = NULL;
    if (directory && *directory != '/' && getcwd(here, sizeof here))
        path = mem_printf("%s/%s", here, directory);
    else if (directory)
        path = mem_strdup(directory);
    else if (data && *data == '/')
        path = mem_printf("%s/argosy/dev", data);
    else if (home && *home == '/')
        path = mem_printf("%s/.local/share/argosy/dev", home);
    if (!path)
        return err_set(err, ERR_INVALID, "there is no HOME; name a directory with --data-dir");
    if (strlen(path) >= sizeof files->directory || strpbrk(path, "\n"))
        return err_set(err, ERR_INVALID, "%s is no usable directory name", path);
    text_copy(files->directory, sizeof files->directory, path);
    return 0;
}

static int lock_directory(struct dev_files *files, struct err *err)
{
    char path[DEV_PATH_LENGTH + 32];
    snprintf(path, sizeof path, "%s/lock", files->directory);
    files->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (files->lock < 0)
        return err_set_errno(err, ERR_IO, errno, "%s cannot be opened", path);
    if (flock(files->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    close(files->lock);
    files->lock = -1;
    return err_set(err, ERR_BUSY, "another `argosy dev` uses %s (--data-dir names another place)",
                   files->directory);
}

static int make_layout(struct dev_files *files, struct err *err)
{
    char broker_data[DEV_PATH_LENGTH + 32];
    snprintf(files->broker_config, sizeof files->broker_config, "%s/mosquitto.conf",
             files->directory);
    snprintf(files->manager_data, sizeof files->manager_data, "%s/manager", files->directory);
    snprintf(files->worker_data, sizeof files->worker_data, "%s/worker", files->directory);
    snprintf(broker_data, sizeof broker_data, "%s/mosquitto", files->directory);
    const char *const directories[] = {files->manager_data, files->worker_data, broker_data};
    for (size_t i = 0; i < ARRAY_LENGTH(directories); i++)
        if (make_directories(directories[i], err) != 0)
            return -err->code;
    return 0;
}

/* ---- ports ----------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

bool dev_port_listens(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return listens;
}

/* The port when it can be bound now (0: any); -1 when not. */
static int free_port(int port)
{
    struct sockaddr_in address = loopback(port);
    socklen_t length = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &length) == 0;
    close(fd);
    return bound ? ntohs(address.sin_port) : -1;
}

static int choose_port(struct dev_files *files, int port, struct err *err)
{
    files->port = free_port(port ? port : DEFAULT_PORT);
    if (files->port < 0 && !port)
        files->port = free_port(0);
    if (files->port < 0)
        return err_set(err, ERR_BUSY, "port %d is taken; --port names another", port);
    return 0;
}

/* ---- broker and engine ----------------------------------------------------------------------- */

static int write_broker_config(const struct dev_files *files, struct err *err)
{
    FILE *file = fopen(files->broker_config, "we");
    if (!file)
        return err_set_errno(err, ERR_IO, errno, "%s cannot be written", files->broker_config);
    fprintf(file,
            "# Written by `argosy dev` at every start.\n"
            "per_listener_settings false\n"
            "listener %d 127.0.0.1\n"
            "allow_anonymous true\n"
            "set_tcp_nodelay true\n"
            "persistence true\n"
            "persistence_location %s/mosquitto/\n"
            "autosave_interval 10\n"
            "max_queued_messages 100000\n"
            "max_inflight_messages 1000\n"
            "max_packet_size 1048576\n",
            files->port, files->directory);
    if (geteuid() == 0) /* else it would change to a user that cannot write here */
        fputs("user root\n", file);
    if (fclose(file) != 0)
        return err_set_errno(err, ERR_IO, errno, "%s cannot be written", files->broker_config);
    return 0;
}

static bool engine_answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return answers;
}

/* $DOCKER_HOST alone when it is set, else the usual sockets of Docker and Podman. */
static void find_engine(struct dev_files *files)
{
    static const char scheme[] = "unix://";
    const char *host = getenv("DOCKER_HOST"), *runtime = getenv("XDG_RUNTIME_DIR");
    char podman[DEV_PATH_LENGTH] = "";
    if (runtime)
        snprintf(podman, sizeof podman, "%s/podman/podman.sock", runtime);
    bool has_scheme = host && strncmp(host, scheme, sizeof scheme - 1) == 0;
    const char *const usual[] = {"/var/run/docker.sock", podman, "/run/podman/podman.sock"};
    const char *const named[] = {has_scheme ? host + sizeof scheme - 1 : ""};
    const char *const *candidates = host && *host ? named : usual;
    size_t count = host && *host ? ARRAY_LENGTH(named) : ARRAY_LENGTH(usual);
    for (size_t i = 0; i < count && !files->engine[0]; i++)
        if (engine_answers(candidates[i]))
            text_copy(files->engine, sizeof files->engine, candidates[i]);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int dev_files_open(struct dev_files *files, const char *directory, int port, struct err *err)
{
    *files = (struct dev_files){.lock = -1};
    int failed = choose_directory(files, directory, err);
    if (!failed)
        failed = make_directories(files->directory, err);
    if (!failed)
        failed = lock_directory(files, err);
    if (!failed)
        failed = make_layout(files, err);
    if (!failed)
        failed = choose_port(files, port, err);
    if (!failed)
        failed = write_broker_config(files, err);
    if (failed) {
        dev_files_close(files);
        return failed;
    }
    find_engine(files);
    return 0;
}

void dev_files_close(struct dev_files *files)
{
    if (files->lock >= 0)
        close(files->lock);
    files->lock = -1;
}

void dev_files_print_tail(const char *path)
{
    char text[TAIL_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t end = lseek(fd, 0, SEEK_END);
    ssize_t length = pread(fd, text, sizeof text, end > TAIL_BYTES ? end - TAIL_BYTES : 0);
    if (length > 0)
        fprintf(stderr, "%.*s", (int)length, text);
    close(fd);
}
