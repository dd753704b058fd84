/* The Engine API over a plain unix socket: what creating and starting one container costs when
 * nobody is in between.
 *
 *   raw_engine SOCKET NAME FILE        creates a container NAME from the JSON body in FILE, starts
 * it, prints the microseconds
 *
 * One connection per call, as our runtime does. Any failure ends the program. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 32768 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int engine_open(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        die("path");
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    return fd;
}

/* POSTs and reads the whole answer; anything but 2xx ends the program. */
static void engine_post(const char *socket_path, const char *path, const char *body)
{
    static char text[REQUEST_MAX];
    int fd = engine_open(socket_path);
    int length = snprintf(text, sizeof text,
                          "POST /v1.41%s HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          path, strlen(body), body);
    if (length >= REQUEST_MAX || write(fd, text, (size_t)length) != length)
        die("write");
    size_t used = 0;
    for (ssize_t more; (more = read(fd, text + used, sizeof text - used - 1)) > 0;)
        used += (size_t)more;
    text[used] = 0;
    close(fd);
    if (used < 12 || text[9] != '2') {
        fputs(text, stderr);
        exit(1);
    }
}

static int64_t now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000) + at.tv_nsec / 1000;
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    static char body[REQUEST_MAX];
    char create[256], start[256];
    FILE *file = fopen(words[3], "r");
    if (!file || fread(body, 1, sizeof body - 1, file) == 0)
        die(words[3]);
    fclose(file);
    snprintf(create, sizeof create, "/containers/create?name=%s", words[2]);
    snprintf(start, sizeof start, "/containers/%s/start", words[2]);
    int64_t before = now_us();
    engine_post(words[1], create, body);
    engine_post(words[1], start, "");
    printf("%lld\n", (long long)(now_us() - before));
    return 0;
}
