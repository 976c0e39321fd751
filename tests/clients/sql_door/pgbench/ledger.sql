\set aid random(0, 99)
\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_balances SET balance = balance + :delta WHERE aid = :aid;
INSERT INTO pgbench_movements (aid, delta, seen) VALUES (:aid, :delta, now());
COMMIT;
