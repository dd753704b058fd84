/* What lies between a process and the world, whatever connections it has. A countdown to its death:
 * each of its operations on the outside (commit, publish, start, stop …) burns one. Once it has
 * blown nothing more gets out, and the world buries the process as soon as it returns: it died
 * between two operations. */
#ifndef ARGOSY_SIMULATION_FUSE_H
#define ARGOSY_SIMULATION_FUSE_H

#include <stdbool.h>
#include <stdint.h>

struct fuse {
    int64_t left; /* operations, 0: not lit */
    bool blown;
    int64_t burned;    /* operations so far, in all lives */
    int64_t published; /* publications so far, in all lives */
    int64_t cut_at;    /* the publication with which the connection ends, 0: none */
    /* It stands still (suspended, stopped, waiting for its disk): what happens to it happens then.
     */
    int64_t asleep_until_ms;
    bool apart; /* its machine is: nothing gets through to or from it, and it cannot connect */
};

/* True when the process is dead and the operation does not happen. */
static inline bool fuse_burn(struct fuse *fuse)
{
    fuse->burned++;
    if (fuse->left > 0 && --fuse->left == 0)
        fuse->blown = true;
    return fuse->blown;
}

#endif
