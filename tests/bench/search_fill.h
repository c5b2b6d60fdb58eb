/* A scope with as many documents as a bench wants, always the same ones. */
#ifndef BENCH_SEARCH_FILL_H
#define BENCH_SEARCH_FILL_H
#include <umbel/domain.h>
#include <umbel/domain_calls.h>

/* Documents of five classes in scope main: name, tags Status, Customer (20,000 of them), Year, Amount, DueDate, Keywords (two of
 * 50), and a text of 30 words, of 20,000 of which some are frequent. */
extern const struct um_domain_call bench_fill;       /* body: {"first", "n"}: creates them, as um_components_create does */
json_t *bench_model_tags(void);                      /* for um_objects_create */
json_t *bench_model_classes(void);

#endif
