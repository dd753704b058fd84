/* The labels that make a container ours. */
#ifndef ARGOSY_WORKER_RUNTIME_LABELS_H
#define ARGOSY_WORKER_RUNTIME_LABELS_H

#define LABEL_CLUSTER "io.argosy.cluster"
#define LABEL_NODE    "io.argosy.node"
#define LABEL_TASK    "io.argosy.task" /* the attempt's id */
#define LABEL_RUN     "io.argosy.run"
#define LABEL_JOB     "io.argosy.job"
#define LABEL_TERM    "io.argosy.term"

#endif
