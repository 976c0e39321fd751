\set aid random(0, 99)
SELECT balance FROM pgbench_balances WHERE aid = :aid;
SELECT count(*), sum(i) FROM range(1000) AS t(i) WHERE i < :aid;
