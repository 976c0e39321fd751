"""Queries by family: what a family is about is where a difference would be listed.

A family is a function of a random source that gives one query; `ordered` in its name means that the rows' order counts.
"""

import random

INTEGERS, NUMBERS, TEXTS, DATES = ["i", "j", "s"], ["i", "j", "s", "b", "d"], ["t", "u"], ["dt", "ts"]


def pick(r: random.Random, *choices):
    return r.choice(choices)


def number(r):
    return pick(r, *NUMBERS, str(r.randrange(-9, 10)))


def condition(r, depth=2) -> str:
    if depth and r.random() < 0.5:
        return f"({condition(r, depth - 1)} {pick(r, 'AND', 'OR')} {pick(r, '', 'NOT ')}{condition(r, depth - 1)})"
    return pick(r, f"{number(r)} {pick(r, '<', '<=', '=', '<>', '>', '>=')} {number(r)}",
                f"{r.choice(TEXTS)} {pick(r, '<', '=', '>=')} '{pick(r, 'b', 'B', 'apple')}'",
                f"{pick(r, *NUMBERS, *TEXTS, *DATES)} IS {pick(r, '', 'NOT ')}NULL", "bo", "bo IS NOT TRUE",
                f"i BETWEEN {r.randrange(-20, 0)} AND {r.randrange(0, 20)}", f"j IN (1, 2, {r.randrange(5)})",
                f"i IS DISTINCT FROM {r.choice(INTEGERS)}", f"id = ANY (ARRAY[1, {r.randrange(99)}])")


def integer_arithmetic(r):
    return f"SELECT id, {r.choice(INTEGERS)} {pick(r, '+', '-', '*')} {r.choice(INTEGERS)} FROM n"


def integer_quotient(r):
    return f"SELECT id, i {pick(r, '/', '%')} nullif({pick(r, 'j', 's')}, 0), b / {pick(r, 2, -3, 7)} FROM n"


def bigint_arithmetic(r):
    return f"SELECT id, b {pick(r, '+', '-')} {number(r).replace('d', 'i')}, b % {r.randrange(2, 99)} FROM n"


def numeric_arithmetic(r):
    return f"SELECT id, d {pick(r, '+', '-', '*')} {pick(r, 'i', '2', '1.5', '0.25')} FROM n"


def numeric_quotient(r):
    return f"SELECT id, d / {pick(r, 2, 3, '1.5')} FROM n"


def numeric_rounding(r):
    return f"SELECT id, {pick(r, 'round', 'trunc')}(d, {r.randrange(3)}), {pick(r, 'ceil', 'floor', 'abs', 'sign')}(d) FROM n"


def float_arithmetic(r):
    return f"SELECT id, f {pick(r, '+', '-', '*')} {pick(r, '0.5::float8', 'f', '2')}, -f, abs(f), floor(f) FROM n"


def float_quotient(r):
    return f"SELECT id, f / {pick(r, '4', '0.5::float8')} FROM n"


def comparison(r):
    return f"SELECT id, {condition(r)} FROM n"


def filtered(r):
    return f"SELECT id FROM n WHERE {condition(r)} ORDER BY id"


def three_valued(r):
    return f"SELECT id, bo AND i > {r.randrange(9)}, bo OR NULL, NOT bo, bo IS NULL, bo IS UNKNOWN FROM n"


def cases(r):
    return (f"SELECT id, CASE WHEN {condition(r, 1)} THEN {pick(r, 't', 'u')} ELSE 'other' END, "
            f"CASE j WHEN 1 THEN 'one' WHEN {r.randrange(5)} THEN 'n' END FROM n")


def null_functions(r):
    return f"SELECT id, coalesce(i, j, {r.randrange(9)}), nullif(j, {r.randrange(5)}), greatest(i, j), least(i, s) FROM n"


def text_case(r):
    return f"SELECT id, lower(v), upper(v), initcap(v) FROM m WHERE v ~ '^[a-zA-Z ]*$' AND id < {r.randrange(10, 40)}"


def text_pieces(r):
    a, b = r.randrange(-2, 6), r.randrange(0, 5)
    return (f"SELECT id, substring(t, {a}, {b}), substr(t, {a}), left(t, {a}), right(t, {b}), "
            f"substring(t from {max(a, 1)} for {b}) FROM n")


def text_lengths(r):
    return f"SELECT id, length({r.choice(TEXTS)}), octet_length(t), position('{pick(r, 'a', 'an', 'ï')}' in t), strpos(u, 'e') FROM n"


def text_padding(r):
    return f"SELECT id, lpad(t, {r.randrange(12)}, '{pick(r, 'x', 'ab')}'), rpad(t, {r.randrange(9)}), repeat(u, {r.randrange(3)}) FROM n"


def text_trimming(r):
    return f"SELECT id, trim(t), ltrim(t), rtrim(t), btrim(t, '{pick(r, ' a', 'A', 'ab')}'), trim(leading ' ' from t) FROM n"


def text_changes(r):
    return f"SELECT id, replace(t, '{pick(r, 'a', 'an')}', 'X'), reverse(t), translate(t, 'abc', 'x'), md5(t) FROM n"


def text_splitting(r):
    return f"SELECT id, split_part(t, '{pick(r, ',', '.', ' ')}', {pick(r, 1, 2, 3, -1)}), string_to_array(t, ',') FROM n"


def concatenation(r):
    return f"SELECT id, t || u, t || {pick(r, 'i', 'dt', chr(39) + '-' + chr(39))}, concat(t, i, NULL, u), concat_ws('-', t, u) FROM n"


def like(r):
    pattern = pick(r, "%a%", "_a%", "a\\%b", "%\\_%", "%e", "")
    return f"SELECT id, t {pick(r, '', 'NOT ')}{pick(r, 'LIKE', 'ILIKE')} '{pattern}' FROM n"


def regular_expression(r):
    pattern = pick(r, "an", "^[A-Z]", "e$", "[aeiou]{2}", "a|b", r"\.", r"^\s")
    return f"SELECT id, t {pick(r, '~', '!~', '~*', '!~*')} '{pattern}', u SIMILAR TO '%{pick(r, 'a', '(e|i)')}%' FROM n"


def regular_replacement(r):
    return f"SELECT id, regexp_replace(t, '{pick(r, 'a', '[aeiou]', '(.)a')}', '{pick(r, '#', '<>')}'{pick(r, '', ', ' + chr(39) + 'g' + chr(39))}) FROM n"


def text_quoting(r):
    return f"SELECT id, quote_literal(t), quote_ident(u), format('%s|%L', t, {pick(r, 'u', 'i')}) FROM n"


def date_arithmetic(r):
    return f"SELECT id, dt + {r.randrange(-40, 400)}, dt + interval '{r.randrange(1, 20)} {pick(r, 'days', 'months', 'hours')}', ts - interval '1 {pick(r, 'year', 'day')}' FROM n"


def date_difference(r):
    return f"SELECT id, dt - date '{r.randrange(2019, 2025)}-03-01' FROM n"


def moment_difference(r):
    return f"SELECT id, ts - timestamp '2022-0{r.randrange(1, 10)}-01 12:00', age(ts, timestamp '2020-01-01') FROM n"


def date_truncation(r):
    return f"SELECT id, date_trunc('{pick(r, 'year', 'quarter', 'month', 'week', 'day', 'hour', 'minute')}', ts) FROM n"


def date_truncation_of_date(r):
    return f"SELECT id, date_trunc('{pick(r, 'year', 'month', 'week')}', dt) FROM n"


def extraction(r):
    return f"SELECT id, extract({pick(r, 'year', 'month', 'day', 'dow', 'isodow', 'doy', 'week', 'quarter', 'hour', 'minute')} from ts) FROM n"


def date_part(r):
    return f"SELECT id, date_part('{pick(r, 'year', 'month', 'day', 'dow', 'hour')}', ts) FROM n"


def date_format(r):
    pattern = pick(r, "YYYY-MM-DD", "DD Mon YYYY", "HH24:MI:SS", "FMMonth FMDD", "Day", "HH12:MI AM", "YY/MM", "IYYY-IW", "DDD", "Dy")
    return f"SELECT id, to_char(ts, '{pattern}') FROM n"


def number_format(r):
    return f"SELECT id, to_char(d, '{pick(r, 'FM999999.00', '99999.9', '9,999,999.99', 'S00000', 'FM9999990.0')}') FROM n"


def casts(r):
    return f"SELECT id, {pick(r, 'i::text', 'd::int', 'd::text', 'b::text', 's::bigint', 'bo::text', 'dt::text', 'ts::date', 'i::numeric(8,2)', 'f::int', 'i::float8', 'ts::text', 'dt::timestamp', 'bo::int')} FROM n"


def bare_numeric(r):
    return f"SELECT id, {pick(r, 'i', 'd')}::numeric FROM n"


def aggregates(r):
    return f"SELECT count(*), count({pick(r, *NUMBERS)}), min({pick(r, 'i', 't', 'dt')}), max({pick(r, 'b', 'u', 'ts')}) FROM n WHERE {condition(r, 1)}"


def sums(r):
    return f"SELECT j, sum({pick(r, 'i', 's', 'b', 'd', 'f')}) FROM n GROUP BY j"


def averages(r):
    return f"SELECT j, avg({pick(r, 'i', 'd', 'b')}) FROM n GROUP BY j"


def float_averages(r):
    return f"SELECT bo, avg(f), stddev_pop(f) IS NULL FROM n WHERE id < {r.randrange(20, 100)} GROUP BY bo"


def boolean_aggregates(r):
    return f"SELECT j, bool_and(i > {r.randrange(-9, 9)}), bool_or(bo), every(bo) FROM n GROUP BY j"


def text_aggregates(r):
    return f"SELECT j, string_agg({pick(r, '', 'DISTINCT ')}t, ',' ORDER BY t) FROM n GROUP BY j"


def array_aggregates(r):
    return f"SELECT j, array_agg({pick(r, 'i', 't', 'id')} ORDER BY id) FROM n WHERE id < {r.randrange(10, 60)} GROUP BY j"


def filtered_aggregates(r):
    return f"SELECT bo, count(*) FILTER (WHERE {condition(r, 1)}), sum(i) FILTER (WHERE j > 0) FROM n GROUP BY bo"


def grouping(r):
    return f"SELECT {pick(r, 'ROLLUP', 'CUBE') and 'bo'}, j, count(*), grouping(bo, j) FROM n GROUP BY {pick(r, 'ROLLUP', 'CUBE')} (bo, j)"


def having(r):
    return f"SELECT j, count(*) FROM n GROUP BY j HAVING count(*) > {r.randrange(4, 14)}"


def ordered_nulls(r):
    column = pick(r, "i", "t", "dt", "d", "bo", "f")
    return f"SELECT {column}, id FROM n ORDER BY {column} {pick(r, '', 'ASC', 'DESC', 'NULLS FIRST', 'DESC NULLS LAST')}, id"


def ordered_pages(r):
    return f"SELECT id, t FROM n ORDER BY i, id LIMIT {r.randrange(1, 20)} OFFSET {r.randrange(50)}"


def ordered_fetch(r):
    return f"SELECT id FROM n ORDER BY ts DESC, id OFFSET {r.randrange(9)} ROWS FETCH NEXT {r.randrange(1, 9)} ROWS ONLY"


def distinct_rows(r):
    return f"SELECT DISTINCT {pick(r, 'j', 'bo, j', 't', 'bo')} FROM n"


def ordered_distinct_on(r):
    return f"SELECT DISTINCT ON (j) j, id, i FROM n ORDER BY j, i {pick(r, '', 'DESC')}, id"


def joins(r):
    return f"SELECT n.id, m.v, m.w FROM n {pick(r, '', 'LEFT ', 'RIGHT ', 'FULL ')}JOIN m ON n.id = m.k{pick(r, '', ' AND m.w > 0')}"


def joins_using(r):
    return f"SELECT id, t, v FROM n {pick(r, '', 'LEFT ')}JOIN m USING (id) WHERE id < {r.randrange(10, 60)}"


def semi_joins(r):
    return f"SELECT id FROM n WHERE {pick(r, '', 'NOT ')}{pick(r, 'EXISTS (SELECT 1 FROM m WHERE m.k = n.id)', 'id IN (SELECT k FROM m WHERE k IS NOT NULL)')}"


def scalar_subqueries(r):
    return f"SELECT id, (SELECT {pick(r, 'max(w)', 'count(*)', 'min(v)')} FROM m WHERE m.k > n.id) FROM n WHERE id < {r.randrange(20, 60)}"


def set_operations(r):
    return f"SELECT id FROM n WHERE {condition(r, 0)} {pick(r, 'UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT')} SELECT k FROM m"


def common_tables(r):
    return f"WITH a AS (SELECT id, i FROM n WHERE {condition(r, 0)}), b AS (SELECT max(i) FROM a) SELECT a.id, max FROM a, b"


def recursion(r):
    return f"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + {r.randrange(1, 4)} FROM c WHERE x < {r.randrange(5, 40)}) SELECT x FROM c"


def windows(r):
    return (f"SELECT id, {pick(r, 'row_number()', 'rank()', 'dense_rank()', 'ntile(4)', 'lag(i)', 'lead(i, 2)', 'first_value(i)')} "
            f"OVER ({pick(r, '', 'PARTITION BY bo ')}ORDER BY {pick(r, 'i, id', 'dt DESC, id', 'id')}) FROM n")


def window_sums(r):
    return f"SELECT id, sum({pick(r, 'i', 'd')}) OVER (ORDER BY id ROWS BETWEEN {r.randrange(1, 4)} PRECEDING AND {pick(r, 'CURRENT ROW', '1 FOLLOWING')}) FROM n"


def row_functions(r):
    return f"SELECT generate_series({r.randrange(3)}, {r.randrange(3, 9)}), g FROM generate_series(1, {r.randrange(1, 4)}) AS g"


def unnesting(r):
    return f"SELECT u, o FROM unnest(ARRAY[{r.randrange(9)}, NULL, {r.randrange(9)}]) WITH ORDINALITY AS x(u, o)"


def arrays(r):
    a = f"ARRAY[{r.randrange(5)}, {r.randrange(5)}, {r.randrange(5)}]"
    return (f"SELECT {a}, ({a})[{r.randrange(4)}], array_length({a}, 1), {a} || ARRAY[9], {r.randrange(5)} = ANY ({a}), "
            f"{a} @> ARRAY[{r.randrange(5)}], array_append({a}, 7), array_remove({a}, {r.randrange(5)}), array_position({a}, 3)")


def array_texts(r):
    return f"SELECT '{{{r.randrange(9)},NULL,{r.randrange(9)}}}'::int[], array_to_string(ARRAY['a', NULL, 'b'], '{pick(r, ',', '-')}', '*'), cardinality(ARRAY[1, 2])"


def json_access(r):
    doc = f"'{{\"a\": {r.randrange(9)}, \"b\": {{\"c\": \"x{r.randrange(9)}\"}}, \"l\": [1, 2]}}'::json"
    return f"SELECT {doc} ->> 'a', {doc} -> 'b' ->> 'c', {doc} #>> '{{b,c}}', ({doc} ->> 'a')::int + 1, {doc} -> 'l' -> {r.randrange(2)}, json_array_length({doc} -> 'l')"


def column_names(r):
    return (f"SELECT {pick(r, 'i', 'n.i')}, i + 1, count(*) OVER (), {pick(r, 'lower(t)', 'max(i) OVER ()', 'coalesce(i, 0)', 'dt::text')}, "
            f"{pick(r, 'CASE WHEN bo THEN 1 END', 'NULL', 'i = 1', '1::bigint', chr(39) + 'x' + chr(39))}, (SELECT 1), ARRAY[1] FROM n WHERE id < 5")


def constants(r):
    return f"SELECT {r.randrange(10**6)}, {r.randrange(10**10, 10**12)}, {r.randrange(999) / 10}, 'text', true, date '2024-0{r.randrange(1, 10)}-11', interval '{r.randrange(1, 90)} minutes'"


def values_lists(r):
    return f"SELECT column1, column2 FROM (VALUES (1, 'a'), ({r.randrange(9)}, NULL)) AS v"


def failures(r):
    return pick(r, "SELECT nosuch FROM n", "SELECT * FROM nosuch", "SELECT i / 0 FROM n", "SELECT 'x'::int", "SELECT nosuch(i) FROM n",
                "SELECT i FROM n GROUP BY j", "SELECT 1 +", "SELECT date '2024-02-31'", "SELECT sum(count(*)) FROM n",
                "SELECT 99999::smallint", "SELECT id FROM n, m", "SELECT (SELECT id FROM n)", "SELECT 'y'::uuid",
                "SELECT 2147483647 + id FROM n", "SELECT 1::nosuch", "SELECT split_part(t, ',', 0) FROM n",
                "SELECT i % (j - j) FROM n", "SELECT '{1'::int[]", "SELECT n.nosuch FROM n", "SELECT t + 1 FROM n")


FAMILIES = [value for value in list(globals().values())
            if callable(value) and getattr(value, "__module__", "") == __name__ and value.__code__.co_varnames[:1] == ("r",)
            and value.__name__ not in ("pick", "number", "condition")]
