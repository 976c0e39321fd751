{{ config(materialized='view') }}
select id as customer_id, upper(name) as name, country, joined from {{ ref('raw_customers') }}
