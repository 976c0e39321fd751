{{ config(materialized='table') }}
select c.country, count(*) as orders, sum(o.amount) as amount
from {{ ref('raw_orders') }} as o join {{ ref('customers') }} as c on c.customer_id = o.customer_id
group by c.country
