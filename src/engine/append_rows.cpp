#include "engine/append_rows.hpp"

#include <duckdb/common/types/column/column_data_collection.hpp>
#include <duckdb/parser/expression/star_expression.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/tableref/column_data_ref.hpp>

namespace boathouse::engine {

void append_rows(duckdb::Connection& connection, const std::vector<const NewRows*>& rows) {
    const TableShape& shape = *rows.front()->impl().shape;
    // Owned by the statement. The rows stay where they are: whoever holds them may have to try again.
    auto all = duckdb::make_uniq<duckdb::ColumnDataCollection>(duckdb::Allocator::DefaultAllocator(), shape.types);
    duckdb::ColumnDataAppendState state;
    all->InitializeAppend(state);
    for (const NewRows* some : rows) {
        some->impl().each_chunk([&](duckdb::DataChunk& chunk) { all->Append(state, chunk); });
    }
    auto node = duckdb::make_uniq<duckdb::SelectNode>();
    node->select_list.push_back(duckdb::make_uniq<duckdb::StarExpression>());
    node->from_table = duckdb::make_uniq<duckdb::ColumnDataRef>(std::move(all), shape.names);
    node->from_table->alias = "new_rows";
    auto insert = duckdb::make_uniq<duckdb::InsertStatement>();
    insert->catalog = "lake";
    insert->schema = shape.schema;
    insert->table = shape.table;
    insert->select_statement = duckdb::make_uniq<duckdb::SelectStatement>();
    insert->select_statement->node = std::move(node);
    const auto result = connection.Query(std::move(insert));
    if (result->HasError()) result->ThrowError();
}

}  // namespace boathouse::engine
