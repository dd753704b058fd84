/* Every test of the bus; each gets the protocol to use as *state. */
#ifndef ARGOSY_TESTS_BUS_TESTS_H
#define ARGOSY_TESTS_BUS_TESTS_H

#define BUS_TESTS_BOTH(X)                                                           \
    X(a_message_makes_the_round_trip)                                               \
    X(a_retained_document_is_heard_by_whoever_comes_late)                           \
    X(payloads_up_to_the_limit_pass_and_larger_ones_are_refused)                    \
    X(messages_outside_the_root_are_not_heard)                                      \
    X(closing_waits_until_all_is_delivered)                                         \
    X(an_address_may_be_an_ipv6_one)                                                \
    X(tls_with_a_client_certificate_connects)                                       \
    X(tls_to_a_broker_whose_certificate_has_another_name_fails)                     \
    X(tls_without_the_authority_of_the_broker_fails)                                \
    X(what_is_published_without_a_broker_arrives_in_order_when_it_is_back)          \
    X(after_a_kill_of_the_broker_what_is_pending_is_delivered_and_filters_are_back) \
    X(a_cut_connection_sends_the_will_and_is_made_again)                            \
    X(a_persistent_session_keeps_messages_while_its_client_is_away)                 \
    X(a_stream_survives_cuts_without_a_gap)                                         \
    X(the_next_broker_is_tried_when_one_is_gone)

#define BUS_TESTS_V3(X)                                             \
    X(a_broker_that_speaks_is_waited_for_when_it_acknowledges_late) \
    X(a_broker_that_speaks_and_never_acknowledges_is_left)

#define BUS_TESTS_V5(X)                                       \
    X(own_messages_do_not_come_back_when_they_are_not_wanted) \
    X(what_is_retained_and_what_is_said_can_be_had_apart)     \
    X(what_is_said_may_tell_that_it_is_to_be_retained)        \
    X(response_topic_and_correlation_are_handed_over)         \
    X(a_publication_that_is_not_permitted_is_told)            \
    X(a_frozen_broker_is_left_when_it_acknowledges_nothing)

#define BUS_TESTS_AUTO(X)                        \
    X(version_5_is_used_where_the_broker_has_it) \
    X(a_refused_version_falls_back_to_3_1_1_at_once)

/* What the client libraries do differently: one's threads read whatever comes, the other leaves it
 * to TCP. */
#ifdef TEST_CLIENT_paho
#define BUS_TESTS_OF_CLIENT(X) X(an_inbox_that_overflows_connects_again_and_hears_what_is_retained)
#else
#define BUS_TESTS_OF_CLIENT(X)                                      \
    X(a_flood_comes_in_batches_that_leave_the_timers_their_turn)    \
    X(a_publication_that_nobody_listens_to_is_told_by_its_protocol) \
    X(a_broker_may_be_named_and_its_name_may_be_unknown)            \
    X(a_bus_may_be_closed_while_its_name_is_looked_up)              \
    X(what_is_published_while_it_is_held_goes_out_in_one_packet)
#endif

#define BUS_TEST_PROTOTYPE(name) void name(void **state);
BUS_TESTS_BOTH(BUS_TEST_PROTOTYPE)
BUS_TESTS_V3(BUS_TEST_PROTOTYPE)
BUS_TESTS_V5(BUS_TEST_PROTOTYPE)
BUS_TESTS_AUTO(BUS_TEST_PROTOTYPE)
BUS_TESTS_OF_CLIENT(BUS_TEST_PROTOTYPE)

#endif
