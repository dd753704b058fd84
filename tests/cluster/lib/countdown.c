/* Loaded in front of a manager or worker (LD_PRELOAD): kills it with SIGKILL before its n-th write
 * or sync of a file, or its n-th send to the broker.
 *
 * The counters lie in the file that ARGOSY_COUNTDOWN names, which the test maps too: it may lay the
 * fault at any time, and read how many operations there were. What the process starts itself is
 * left alone. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { KIND_FILE, KIND_SEND, KIND_COUNT };

struct counters {
    int64_t done[KIND_COUNT];
    int64_t left[KIND_COUNT]; /* until death, 0: none is laid */
};

static struct counters *counters;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("ARGOSY_COUNTDOWN");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        abort();
    void *memory = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        abort();
    close(fd);
    counters = memory;
    unsetenv("LD_PRELOAD");
    unsetenv("ARGOSY_COUNTDOWN");
}

static void count(enum kind kind)
{
    __atomic_add_fetch(&counters->done[kind], 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&counters->left[kind], __ATOMIC_SEQ_CST) > 0 &&
        __atomic_sub_fetch(&counters->left[kind], 1, __ATOMIC_SEQ_CST) == 0)
        kill(getpid(), SIGKILL);
}

static int is_network(int fd)
{
    int domain = 0;
    socklen_t size = sizeof(domain);
    return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) &&
           (domain == AF_INET || domain == AF_INET6);
}

/* Neither: pipes, eventfds, the log. */
static void count_write(int fd)
{
    struct stat status;
    if (!counters || fd <= STDERR_FILENO || fstat(fd, &status))
        return;
    if (S_ISREG(status.st_mode))
        count(KIND_FILE);
    else if (S_ISSOCK(status.st_mode) && is_network(fd))
        count(KIND_SEND);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size)
{
    count_write(fd);
    return NEXT(write)(fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int number)
{
    count_write(fd);
    return NEXT(writev)(fd, parts, number);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    count_write(fd);
    return NEXT(pwrite)(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
    count_write(fd);
    return NEXT(pwrite64)(fd, bytes, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int number, off_t at)
{
    count_write(fd);
    return NEXT(pwritev)(fd, parts, number, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int number, off64_t at)
{
    count_write(fd);
    return NEXT(pwritev64)(fd, parts, number, at);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    count_write(fd);
    return NEXT(send)(fd, bytes, size, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
               socklen_t to_size)
{
    count_write(fd);
    return NEXT(sendto)(fd, bytes, size, flags, to, to_size);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    count_write(fd);
    return NEXT(sendmsg)(fd, message, flags);
}

int fsync(int fd)
{
    if (counters)
        count(KIND_FILE);
    return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    if (counters)
        count(KIND_FILE);
    return NEXT(fdatasync)(fd);
}

int msync(void *memory, size_t size, int flags)
{
    if (counters)
        count(KIND_FILE);
    return NEXT(msync)(memory, size, flags);
}
