{{ config(materialized='incremental') }}
select id, customer_id, ordered_at from {{ ref('raw_orders') }}
{% if is_incremental() %}
where id > (select max(id) from {{ this }})
{% endif %}
