#include "tests/bus/broker_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int port_listen(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = loopback(port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Ours until the process ends: tests that run side by side must not share a port, and the cluster
 * tests keep the same marks. */
static bool port_mark(int port)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/argosy-test-numbers/port-%d", port);
    mkdir("/tmp/argosy-test-numbers", 0777);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
        return true;
    if (fd >= 0)
        close(fd);
    return false;
}

/* Below the range from which the kernel takes ports for outgoing connections, so that a broker that
 * was killed finds its port free again. */
int port_take(void)
{
    enum { FIRST = 21000, LAST = 21099 };
    for (int port = FIRST; port <= LAST; port++) {
        int fd = port_mark(port) ? port_listen(port) : -1;
        if (fd < 0)
            continue;
        close(fd);
        return port;
    }
    die("no free port");
    return -1;
}

pid_t child_start(void (*run)(void *context), void *context)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run(context);
    _exit(1);
}

void child_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool port_answers(const char *host, int port)
{
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address;
    if (getaddrinfo(host, service, &hints, &address))
        die(host);
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = !connect(fd, address->ai_addr, address->ai_addrlen);
    close(fd);
    freeaddrinfo(address);
    return answers;
}

static void broker_run(void *context)
{
    const struct broker_process *broker = context;
    freopen("/dev/null", "w", stderr); /* it warns of its user */
    execlp("mosquitto", "mosquitto", "-c", broker->config, (char *)NULL);
    execl("/usr/sbin/mosquitto", "mosquitto", "-c", broker->config, (char *)NULL);
    die("mosquitto");
}

void broker_restart(struct broker_process *broker)
{
    broker->pid = child_start(broker_run, broker);
    while (!port_answers(broker->host, broker->port))
        nanosleep(&(struct timespec){0, 2000000}, NULL);
}

void broker_start(struct broker_process *broker, const char *host, const char *options)
{
    broker->host = host;
    broker->port = port_take();
    snprintf(broker->config, sizeof broker->config, "/tmp/argosy-bus-test-%d-%d.conf",
             (int)getpid(), broker->port);
    FILE *file = fopen(broker->config, "w");
    if (!file)
        die(broker->config);
    fprintf(file,
            "listener %d %s\n%s\n"
            "user root\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
            "max_queued_messages 100000\nlog_type none\n",
            broker->port, host, options);
    fclose(file);
    broker_restart(broker);
}

void broker_kill(struct broker_process *broker)
{
    child_kill(broker->pid);
    broker->pid = 0;
}

void broker_stop(struct broker_process *broker)
{
    if (broker->pid)
        broker_kill(broker);
    unlink(broker->config);
}

/* ---- a broker that knows only MQTT 3.1.1 ---- */

struct relay {
    int listener;
    int port;
};

static void pump(int client, int broker)
{
    struct pollfd fds[] = {{client, POLLIN, 0}, {broker, POLLIN, 0}};
    char bytes[65536];
    while (poll(fds, 2, -1) > 0) {
        for (int i = 0; i < 2; i++) {
            if (!fds[i].revents)
                continue;
            ssize_t got = read(fds[i].fd, bytes, sizeof bytes);
            if (got <= 0 || write(fds[1 - i].fd, bytes, (size_t)got) != got)
                return;
        }
    }
}

static void relay_serve(const struct relay *relay, int client)
{
    enum { LEVEL_AT = 8, LEVEL_3_1_1 = 4 }; /* after the header, "MQTT" and its length */
    char packet[4096];
    const char refusal[] = {0x20, 2, 0, 1};
    ssize_t got = read(client, packet, sizeof packet);
    if (got <= LEVEL_AT)
        return;
    if (packet[LEVEL_AT] != LEVEL_3_1_1) {
        if (write(client, refusal, sizeof refusal) < 0)
            die("relay");
        return;
    }
    int broker = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(relay->port);
    if (connect(broker, (struct sockaddr *)&address, sizeof address) ||
        write(broker, packet, (size_t)got) != got)
        return;
    pump(client, broker);
}

static void relay_run(void *context)
{
    const struct relay *relay = context;
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept(relay->listener, NULL, NULL);
        if (client < 0)
            die("accept");
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            relay_serve(relay, client);
            _exit(0);
        }
        close(client);
    }
}

int relay_start(int port, pid_t *ret_pid)
{
    int own = port_take();
    struct relay relay = {port_listen(own), port};
    *ret_pid = child_start(relay_run, &relay);
    close(relay.listener);
    return own;
}
