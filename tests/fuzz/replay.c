/* Runs a fuzz target over files and the files of directories: what was ever found stays fixed,
 * without a fuzzer. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int replayed;

static void file_replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    ASSERT(file);
    ASSERT(!fseek(file, 0, SEEK_END));
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data =
        malloc(size + !size); /* of the exact size, so that ASan sees one byte too many */
    ASSERT(data && fread(data, 1, size, file) == size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

static void directory_replay(const char *path)
{
    DIR *directory = opendir(path);
    ASSERT(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        _cleanup_free_ char *whole = mem_printf("%s/%s", path, entry->d_name);
        file_replay(whole);
    }
    closedir(directory);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat status;
        ASSERT(!stat(argv[i], &status));
        if (S_ISDIR(status.st_mode))
            directory_replay(argv[i]);
        else
            file_replay(argv[i]);
    }
    printf("%d inputs\n", replayed);
    return replayed ? 0 : 1;
}
