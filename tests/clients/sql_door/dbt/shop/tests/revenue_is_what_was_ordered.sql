select 1 where (select sum(amount) from {{ ref('revenue') }}) <> (select sum(amount) from {{ ref('raw_orders') }})
