#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/parser/tableref/column_data_ref.hpp>

#include "engine/parameter_values.hpp"
#include "engine/session_impl.hpp"
#include "engine/wire_types.hpp"

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

namespace {

// Values of these types have another text in PostgreSQL than in DuckDB; all others go into the INSERT as text, which
// casts them.
bool is_decoded(const LogicalType& type) {
    return type.id() == LogicalTypeId::BLOB || type.id() == LogicalTypeId::LIST || type.id() == LogicalTypeId::ARRAY;
}

}  // namespace

struct CopyIn::Impl {
    Impl(Session::Impl& owner, CopyTarget into) : session(owner), target(std::move(into)) {}

    // Makes room for rows of the table's columns.
    Outcome<void> open();
    void flush();

    Session::Impl& session;
    const CopyTarget target;
    std::vector<LogicalType> table_types;
    duckdb::vector<std::string> names;
    duckdb::DataChunk chunk;
    duckdb::unique_ptr<duckdb::ColumnDataCollection> rows;
    duckdb::ColumnDataAppendState append;
};

Outcome<void> CopyIn::Impl::open() {
    std::string columns = target.columns.empty() ? "*" : target.columns.substr(1, target.columns.size() - 2);
    const auto described = session.connection.Prepare("SELECT " + columns + " FROM " + target.table);
    if (described->HasError()) return to_query_error(described->GetErrorObject(), session.scrubber);
    duckdb::vector<LogicalType> types;
    for (const LogicalType& type : described->GetTypes()) {
        names.push_back("column" + std::to_string(names.size()));
        table_types.push_back(type);
        types.push_back(is_decoded(type) ? type : LogicalType::VARCHAR);
    }
    duckdb::ClientContext& context = *session.connection.context;
    chunk.Initialize(duckdb::Allocator::DefaultAllocator(), types);
    rows = duckdb::make_uniq<duckdb::ColumnDataCollection>(duckdb::BufferManager::GetBufferManager(context), types);
    rows->InitializeAppend(append);
    return {};
}

void CopyIn::Impl::flush() {
    if (chunk.size() > 0) rows->Append(append, chunk);
    chunk.Reset();
}

CopyIn::CopyIn(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CopyIn::~CopyIn() = default;
std::size_t CopyIn::columns() const {
    return impl_->table_types.size();
}

Outcome<void> CopyIn::add(const std::vector<std::optional<std::string>>& row) {
    try {
        if (row.size() != columns()) {
            return QueryError{"22P04", row.size() < columns() ? "missing data for a column"
                                                              : "extra data after last expected column"};
        }
        duckdb::DataChunk& chunk = impl_->chunk;
        const duckdb::idx_t at = chunk.size();
        for (std::size_t i = 0; i < row.size(); ++i) {
            duckdb::Vector& column = chunk.data[i];
            if (!row[i]) {
                duckdb::FlatVector::SetNull(column, at, true);
            } else if (is_decoded(impl_->table_types[i])) {
                ParameterValue text;
                text.bytes = *row[i];
                chunk.SetValue(i, at,
                               decode_parameter(*impl_->session.connection.context, text,
                                                wire_type(impl_->table_types[i]).oid, impl_->table_types[i]));
            } else {
                duckdb::FlatVector::GetData<duckdb::string_t>(column)[at] =
                    duckdb::StringVector::AddString(column, *row[i]);
            }
        }
        chunk.SetCardinality(at + 1);
        if (chunk.size() == STANDARD_VECTOR_SIZE) impl_->flush();
        return {};
    } catch (const std::exception& exception) {
        return impl_->session.describe(exception);
    }
}

Outcome<std::uint64_t> CopyIn::finish() {
    try {
        impl_->flush();
        duckdb::Connection& connection = impl_->session.connection;
        auto statements = connection.ExtractStatements("INSERT INTO " + impl_->target.table + impl_->target.columns +
                                                       " SELECT * FROM rows_of_this_copy");
        auto& insert = statements.at(0)->Cast<duckdb::InsertStatement>();
        auto& select = insert.select_statement->node->Cast<duckdb::SelectNode>();
        const std::string alias = select.from_table->Cast<duckdb::BaseTableRef>().table_name;
        select.from_table = duckdb::make_uniq<duckdb::ColumnDataRef>(
            duckdb::optionally_owned_ptr<duckdb::ColumnDataCollection>(*impl_->rows), impl_->names);
        select.from_table->alias = alias;
        const std::uint64_t count = impl_->rows->Count();
        const auto result = connection.Query(std::move(statements.at(0)));
        if (result->HasError()) return to_query_error(result->GetErrorObject(), impl_->session.scrubber);
        return count;
    } catch (const std::exception& exception) {
        return impl_->session.describe(exception);
    }
}

Outcome<std::unique_ptr<CopyIn>> Session::copy_in(const CopyTarget& target) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        auto impl = std::make_unique<CopyIn::Impl>(*impl_, target);
        if (auto opened = impl->open(); !opened) return opened.error();
        return std::make_unique<CopyIn>(std::move(impl));
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

}  // namespace boathouse::engine
