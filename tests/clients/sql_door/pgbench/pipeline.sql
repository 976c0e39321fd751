\set aid random(0, 99)
\startpipeline
SELECT :aid + 1;
SELECT balance FROM pgbench_balances WHERE aid = :aid;
\endpipeline
