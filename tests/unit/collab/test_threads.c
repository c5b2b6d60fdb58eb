/* Three reactors on their own threads: sockets that come, move, talk across and go, orders from outside, a drain at the end.
 * Meant for the thread sanitizer; what is checked here is that every client ends with the same text. */
#include "test_engine.h"
#include <stdio.h>

enum { CLIENTS = 6, DOCUMENTS = 4, ROUNDS = 10 };

static void name_of(char name[8], unsigned i)
{
    snprintf(name, 8, "d%u", i % DOCUMENTS);
}

static void clients_on_three_threads_converge_and_drain(void **state)
{
    struct bench b;
    struct peer p[CLIENTS];
    struct um_buf u = { 0 };
    char name[8];

    (void)state;
    bench_init(&b, 3);
    b.threads = true;
    b.ws.close_timeout_ms = 200;                         /* nobody here answers a Close */
    bench_start(&b);
    for (unsigned i = 0; i < CLIENTS; i++) {
        peer_open(&b, &p[i]);
        name_of(name, i);
        peer_join(&p[i], UM_SPAN_STR(name), "good");
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < CLIENTS; i++) {
            name_of(name, i);
            peer_say(&p[i], UM_SPAN_STR(name), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 100 + round * CLIENTS + i, "x"));
            peer_say(&p[i], UM_SPAN_STR(name), WIRE_AWARENESS, NO_KIND, presence_of(&u, i + 1, round + 1, "{}"));
        }
    for (unsigned i = 0; i < CLIENTS; i++) {             /* the first two documents have two writers; a writer hears the other */
        bool shared = i < 2 || i >= DOCUMENTS;
        if (shared)
            peer_read_until_text(&p[i], ROUNDS);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {  /* sockets that go while others talk across reactors */
        peer_close(&p[0]);
        peer_open(&b, &p[0]);
        for (unsigned i = 0; i < DOCUMENTS; i++) {
            name_of(name, i + round);
            peer_token(&p[0], UM_SPAN_STR(name), "good", "4.8.0");
            peer_say(&p[0], UM_SPAN_STR(name), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 1000 + round * DOCUMENTS + i, "y"));
        }
        um_collab_close_documents(b.collab, round % 2 ? NULL : "d1", "Reset Connection");
        (void)um_collab_connections_of(b.collab, "d1");
    }
    bench_drain(&b);
    for (unsigned i = 0; i < CLIENTS; i++)
        peer_close(&p[i]);
    um_buf_free(&u);
    bench_stop(&b);
}

int thread_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_on_three_threads_converge_and_drain),
    };
    return cmocka_run_group_tests_name("collab threads", tests, NULL, NULL);
}
