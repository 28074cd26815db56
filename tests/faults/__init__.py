"""The promises about money and stock, each broken into as hard as we can: `make test-faults RUNS=20`.

| promise | tests |
|---|---|
| sold + held never exceed stock | fast/test_last_units (200 buyers, 1..5 units, opposite order, options, all at once, two replicas), fast/test_units_come_back |
| one confirmation, at most one order | fast/test_one_order |
| an accepted message (200) is answered | system/test_crash_checkout (checkout, link, webhook, outbox, telling, expiry); tests/e2e/test_crash (the rest) |
| a payment counts at most once | fast/test_money_counts_once (property over whole histories), fast/test_last_units (all at once) |
| forged means nothing written | fast/test_forged |
| Redis lost harms no cart, order or payment | system/test_redis_lost |
| a stalled part stalls only its own users, for a bounded time | fast/test_stalls, whole/test_long_stalls |
| an unclear commit is safe | fast/test_unclear_commit (cut at any COMMIT), whole/test_restart (PostgreSQL restarted, 18 and 15) |
| jobs of several replicas do everything once | fast/test_replicas |
| bad input is refused by name, nothing is written | fast/test_bad_input |

`fast` is part of `make test` (smaller crowds, fewer histories); `make test-faults` runs all of it on the
embedded PostgreSQL and on Debian's 15, `system` beside them on one whole system. `ledger` holds what must
be true in the end, `providers` the provider that does what a test says, `crowd` the many buyers.
"""  # noqa: E501
