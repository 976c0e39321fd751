// Session::take_rows() and what belongs to it: rows of a table from what a client uploads.
#include <boost/json/serialize.hpp>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>

#include "config/suggestion.hpp"
#include "engine/arrow_scan.hpp"
#include "engine/row_casts.hpp"
#include "engine/session_impl.hpp"

namespace boathouse::engine {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

std::string literal_path(const std::string& path) {
    return duckdb::KeywordHelper::WriteQuoted(path, '\'');
}

// Where the column is among the table's; nullopt: nowhere.
std::optional<std::size_t> find_column(const TableShape& shape, const std::string& name) {
    for (std::size_t i = 0; i < shape.names.size(); ++i) {
        if (duckdb::StringUtil::CIEquals(shape.names[i], name)) return i;
    }
    return std::nullopt;
}

QueryError unknown_column(const TableShape& shape, const std::string& name) {
    QueryError error{"42703", "column \"" + name + "\" of relation \"" + shape.table + "\" does not exist" +
                                  config::did_you_mean(name, shape.names)};
    error.hint = "With ?add_columns=true new columns are added to the table.";
    return error;
}

// Which of the table's columns each of `names` is. 42701: one of them twice.
Outcome<std::vector<std::optional<std::size_t>>> find_targets(const TableShape& shape,
                                                              const std::vector<std::string>& names) {
    std::vector<std::optional<std::size_t>> targets;
    std::vector<bool> seen(shape.names.size());
    for (const std::string& name : names) {
        targets.push_back(find_column(shape, name));
        if (!targets.back()) continue;
        if (seen[*targets.back()])
            return QueryError{"42701", "column \"" + shape.names[*targets.back()] + "\" specified more than once"};
        seen[*targets.back()] = true;
    }
    return targets;
}

std::vector<std::size_t> found(const std::vector<std::optional<std::size_t>>& targets) {
    std::vector<std::size_t> columns;
    for (const auto& target : targets) {
        if (target) columns.push_back(*target);
    }
    return columns;
}

// Types whose values in a body of JSON are read as JSON.
bool reads_json(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::STRUCT:
        case LogicalTypeId::LIST:
        case LogicalTypeId::MAP:
        case LogicalTypeId::ARRAY:
        case LogicalTypeId::UNION:
        case LogicalTypeId::VARIANT:
            return true;
        default:
            return type.IsJSONType();
    }
}

// A default as the lake says it, a constant: mostly NULL, for which no query is worth its time.
duckdb::Value value_of(duckdb::Connection& connection, const duckdb::ParsedExpression& expression) {
    if (expression.GetExpressionClass() == duckdb::ExpressionClass::CONSTANT)
        return expression.Cast<duckdb::ConstantExpression>().value;
    const auto result = connection.Query("SELECT " + expression.ToString());
    if (result->HasError()) result->ThrowError();
    return result->GetValue(0, 0);
}

// What the columns have that are not given.
std::vector<duckdb::Value> defaults_of(duckdb::Connection& connection, const TableShape& shape) {
    std::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> expressions(shape.names.size());
    connection.context->RunFunctionInTransaction([&] {
        const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, shape.table);
        const auto entry = duckdb::Catalog::GetEntry(*connection.context, kShapeDatabase, shape.schema, lookup,
                                                     duckdb::OnEntryNotFound::RETURN_NULL);
        if (!entry) return;
        std::size_t index = 0;
        for (const auto& column : entry->Cast<duckdb::TableCatalogEntry>().GetColumns().Logical()) {
            if (column.HasDefaultValue()) expressions[index] = column.DefaultValue().Copy();
            if (++index == expressions.size()) break;
        }
    });
    std::vector<duckdb::Value> values;
    for (std::size_t i = 0; i < expressions.size(); ++i) {
        values.emplace_back(shape.types[i]);
        if (!expressions[i]) continue;
        values.back() = value_of(connection, *expressions[i]).CastAs(*connection.context, shape.types[i]);
    }
    return values;
}

// The texts of one column in the rows of one chunk, as a vector that the table's type can be cast from.
class TextVector {
  public:
    TextVector(const TextRows& rows, const TextColumn& column, const LogicalType& target)
        : rows_(rows), column_(column), is_json_(rows.is_json && reads_json(target)) {}

    // Which rows leave the column out; nullptr: none.
    const std::vector<bool>* absent() const { return any_absent_ ? &absent_ : nullptr; }
    duckdb::Vector& values() { return *values_; }

    void load(std::size_t from, std::size_t count) {
        values_.emplace(is_json_ ? LogicalType::JSON() : LogicalType::VARCHAR, count);
        absent_.assign(count, false);
        any_absent_ = false;
        for (std::size_t row = 0; row < count; ++row) {
            const TextCell cell = from + row < column_.cells.size() ? column_.cells[from + row] : TextCell{};
            put(row, cell);
        }
    }

  private:
    void put(std::size_t row, const TextCell& cell) {
        switch (cell.kind) {
            case TextCell::Kind::absent:
                absent_[row] = true;
                any_absent_ = true;
                duckdb::FlatVector::SetNull(*values_, row, true);
                return;
            case TextCell::Kind::null:
                duckdb::FlatVector::SetNull(*values_, row, true);
                return;
            case TextCell::Kind::text:
            case TextCell::Kind::json:
                break;
        }
        const std::string_view text(rows_.text.data() + cell.at, cell.size);
        auto* const to = duckdb::FlatVector::GetData<duckdb::string_t>(*values_);
        if (is_json_ && cell.kind == TextCell::Kind::text) {
            to[row] = duckdb::StringVector::AddString(*values_, boost::json::serialize(boost::json::string_view(text)));
        } else {
            // Lies there as long as the vector does.
            to[row] = duckdb::string_t(text.data(), static_cast<std::uint32_t>(text.size()));
        }
    }

    const TextRows& rows_;
    const TextColumn& column_;
    const bool is_json_;
    std::optional<duckdb::Vector> values_;
    std::vector<bool> absent_;
    bool any_absent_ = false;
};

// Faults of rows that name a column which the table does not have.
void refuse_unknown(const TableShape& shape, const TextColumn& column, const std::vector<std::uint64_t>& places,
                    std::size_t from, std::vector<bool>& faulty, RowCasts& casts) {
    for (std::size_t row = 0; row < places.size() && from + row < column.cells.size(); ++row) {
        if (faulty[row] || column.cells[from + row].kind == TextCell::Kind::absent) continue;
        faulty[row] = true;
        casts.fault(places[row], column.name, unknown_column(shape, column.name));
    }
}

std::vector<std::string> names_of(const TextRows& rows) {
    std::vector<std::string> names;
    for (const TextColumn& column : rows.columns) names.push_back(column.name);
    return names;
}

const char* reader_of(UploadFormat format) {
    switch (format) {
        case UploadFormat::ndjson:
            return "read_json($, format = 'newline_delimited', sample_size = -1)";
        case UploadFormat::json:
            return "read_json($, format = 'array', sample_size = -1)";
        case UploadFormat::csv:
            return "read_csv($, header = true, delim = ',', quote = '\"', escape = '\"', sample_size = -1)";
        case UploadFormat::parquet:
            return "read_parquet($)";
        case UploadFormat::arrow:  // no file: scan_arrow()
            break;
    }
    return "";
}

std::string read(UploadFormat format, const CopyFile& file) {
    std::string call = reader_of(format);
    const std::size_t at = call.find('$');
    return "SELECT * FROM " + call.replace(at, 1, literal_path(file.path()));
}

// A file's name is ours, and says nothing to the client.
QueryError without_path(QueryError error, const CopyFile& file, const char* otherwise) {
    if (error.message.find(file.path()) == std::string::npos) return error;
    return {"22P04", otherwise};
}

}  // namespace

// What a transaction has made it sees itself; else the catalog is asked.
bool Session::Impl::has_own_public() {
    if (connection.IsAutoCommit() && !connection.HasActiveTransaction()) {
        if (const auto has = lake.shapes().has_own_public()) return *has;
    }
    const auto own =
        connection.Query("SELECT 1 FROM duckdb_schemas() WHERE database_name = 'lake' AND schema_name = 'public'");
    return !own->HasError() && own->RowCount() > 0;
}

Outcome<std::shared_ptr<const TableShape>> Session::Impl::shape_for(const TableName& name) {
    const bool is_main = duckdb::StringUtil::CIEquals(name.schema, "public") && !has_own_public();
    return lake.shapes().find(is_main ? "main" : name.schema, name.table);
}

// May the client insert into these columns, the rest having their defaults?
Outcome<void> Session::Impl::check_insert(const TableShape& shape, const std::vector<std::size_t>& columns) {
    if (watch.read_only) return QueryError{"25006", "cannot execute INSERT in a read-only transaction"};
    if (may_insert(shape)) return {};
    access::Needs needs;
    access::RelationNeed& need = needs.relations.emplace_back();
    need.schema = shape.schema;
    need.name = shape.table;
    need.privilege = access::Privilege::insert;
    for (const std::size_t column : columns) need.columns.push_back(shape.names[column]);
    need.whole = columns.empty();
    watch.gate->forget();
    const auto refusal = watch.gate->check(needs);
    if (!refusal) return {};
    QueryError error{refusal->sqlstate, refusal->message};
    error.hint = refusal->hint;
    return error;
}

namespace {

QueryError no_table(const TableName& name) {
    QueryError error{"42P01", "relation \"" + name.schema + "." + name.table + "\" does not exist"};
    error.hint = "With ?create=true it is created from the rows.";
    return error;
}

}  // namespace

namespace {

// Whether the table is like that now; if not, the shape is forgotten.
bool is_current(Session::Impl& session, const TableShape& shape) {
    duckdb::ClientContext& context = *session.connection.context;
    std::shared_ptr<const TableShape> now;
    context.RunFunctionInTransaction([&] { now = read_shape(context, shape.schema, shape.table); });
    if (now && now->same_as(shape)) return true;
    session.lake.shapes().forget(shape);
    return false;
}

Outcome<TakenRows> take_rows_of(Session::Impl& session, const std::shared_ptr<const TableShape>& shape,
                                const TextRows& rows) {
    const auto targets = find_targets(*shape, names_of(rows));
    if (!targets) return targets.error();
    if (auto may = session.check_insert(*shape, found(*targets)); !may) return may.error();
    RowCasts casts(*session.connection.context, shape, defaults_of(session.connection, *shape));
    std::vector<TextVector> texts;
    for (std::size_t i = 0; i < rows.columns.size(); ++i)
        texts.emplace_back(rows, rows.columns[i], shape->types[(*targets)[i].value_or(0)]);
    session.connection.context->RunFunctionInTransaction([&] {
        for (std::size_t from = 0; from < rows.places.size(); from += STANDARD_VECTOR_SIZE) {
            const std::size_t count = std::min<std::size_t>(STANDARD_VECTOR_SIZE, rows.places.size() - from);
            const auto begin = rows.places.begin() + static_cast<std::ptrdiff_t>(from);
            const std::vector<std::uint64_t> places(begin, begin + static_cast<std::ptrdiff_t>(count));
            std::vector<bool> faulty(count);
            std::vector<RowCasts::Given> given;
            for (std::size_t i = 0; i < texts.size(); ++i) {
                if (!(*targets)[i]) {
                    refuse_unknown(*shape, rows.columns[i], places, from, faulty, casts);
                    continue;
                }
                texts[i].load(from, count);
                given.push_back({*(*targets)[i], &texts[i].values(), texts[i].absent()});
            }
            casts.add(given, places, faulty);
        }
    });
    if (session.interrupted) return interruption();
    return casts.finish();
}

Outcome<TakenRows> take_rows_of(Session::Impl& session, const std::shared_ptr<const TableShape>& shape,
                                duckdb::MaterializedQueryResult& rows) {
    const auto targets = find_targets(*shape, rows.names);
    if (!targets) return targets.error();
    for (std::size_t i = 0; i < targets->size(); ++i) {
        if (!(*targets)[i]) return unknown_column(*shape, rows.names[i]);
    }
    if (auto may = session.check_insert(*shape, found(*targets)); !may) return may.error();
    RowCasts casts(*session.connection.context, shape, defaults_of(session.connection, *shape));
    std::uint64_t place = 0;
    session.connection.context->RunFunctionInTransaction([&] {
        for (auto& chunk : rows.Collection().Chunks()) {
            std::vector<std::uint64_t> places(chunk.size());
            for (std::uint64_t& one : places) one = ++place;
            std::vector<bool> faulty(chunk.size());
            std::vector<RowCasts::Given> given;
            for (std::size_t i = 0; i < targets->size(); ++i) given.push_back({*(*targets)[i], &chunk.data[i]});
            casts.add(given, places, faulty);
        }
    });
    if (session.interrupted) return interruption();
    return casts.finish();
}

}  // namespace

Outcome<std::optional<std::vector<std::string>>> Session::column_names(const TableName& name) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        auto shape = impl_->shape_for(name);
        if (shape && *shape && !is_current(*impl_, **shape)) shape = impl_->shape_for(name);
        if (!shape) return shape.error();
        if (!*shape) return std::optional<std::vector<std::string>>();
        return std::optional<std::vector<std::string>>((*shape)->names);
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

namespace {

// A shape may be older than the table: what is wrong by it is only wrong if it still holds.
bool is_wrong(const Outcome<TakenRows>& taken) {
    return taken ? taken->faulty > 0 : taken.error().sqlstate == "42703" || taken.error().sqlstate == "42701";
}

}  // namespace

Outcome<TakenRows> Session::take_rows(const TableName& name, const TextRows& rows) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        while (true) {
            const auto shape = impl_->shape_for(name);
            if (!shape) return shape.error();
            if (!*shape) return no_table(name);
            auto taken = take_rows_of(*impl_, *shape, rows);
            if (!is_wrong(taken) || is_current(*impl_, **shape)) return taken;
        }
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

namespace {

using MaterializedRows = duckdb::unique_ptr<duckdb::MaterializedQueryResult>;

// Of all batches of an Arrow stream; a Parquet file's readers have their own bounds.
constexpr std::int64_t kArrowRowsMax = 50'000'000;

QueryError arrow_error(const Error& error) {
    const bool is_limit = error.kind == ErrorKind::limit;
    QueryError refused{is_limit ? "54000" : "22P04", error.message};
    refused.hint =
        is_limit && error.hint.empty() ? "Send the rows in several requests, or raise http_body_mb." : error.hint;
    return refused;
}

// What DuckDB says against types and values is the body's fault, but for what has to do with the machine or the client.
QueryError scan_error(const std::exception& exception) {
    const duckdb::ErrorData error(exception);
    switch (error.Type()) {
        case duckdb::ExceptionType::INTERRUPT:
        case duckdb::ExceptionType::OUT_OF_MEMORY:
        case duckdb::ExceptionType::IO:
        case duckdb::ExceptionType::FATAL:
            throw;  // as it came
        default:
            return {"22P04", "the body's types or values cannot be read: " + error.RawMessage()};
    }
}

Outcome<MaterializedRows> rows_of_parquet(Session::Impl& session, std::string_view bytes) {
    CopyFile file(*session.connection.context->db);
    file.append(bytes);
    file.close();
    auto rows = session.connection.Query(read(UploadFormat::parquet, file));
    if (!session.interrupted && rows->HasError())
        return QueryError{"22P04", "the body is no Parquet file that can be read"};
    return rows;
}

Outcome<MaterializedRows> rows_of_arrow(Session::Impl& session, std::string_view bytes, std::uint64_t bytes_max) {
    auto batches =
        arrow::read_stream(bytes, {.bytes_max = static_cast<std::int64_t>(bytes_max), .rows_max = kArrowRowsMax});
    if (!batches) return arrow_error(batches.error());
    try {
        return scan_arrow(session.connection, std::move(*batches));
    } catch (const std::exception& exception) {
        return scan_error(exception);
    }
}

}  // namespace

Outcome<TakenRows> Session::take_file(const TableName& name, UploadFormat format, std::string_view bytes,
                                      std::uint64_t bytes_max) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        Outcome<MaterializedRows> rows = [&] {
            const OwnStatement own(*impl_->connection.context, OwnCheck::nothing);
            return format == UploadFormat::arrow ? rows_of_arrow(*impl_, bytes, bytes_max)
                                                 : rows_of_parquet(*impl_, bytes);
        }();
        if (impl_->interrupted) return interruption();
        if (!rows) return rows.error();
        while (true) {
            const auto shape = impl_->shape_for(name);
            if (!shape) return shape.error();
            if (!*shape) return no_table(name);
            auto taken = take_rows_of(*impl_, *shape, **rows);
            if (!is_wrong(taken) || is_current(*impl_, **shape)) return taken;
        }
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

namespace {

Outcome<std::vector<FoundColumn>> columns_in_arrow(Session::Impl& session, std::string_view bytes) {
    auto schema = arrow::read_schema(bytes);
    if (!schema) return arrow_error(schema.error());
    const OwnStatement own(*session.connection.context, OwnCheck::nothing);
    try {
        std::vector<FoundColumn> columns;
        for (const ArrowColumn& column : columns_of_arrow(session.connection, std::move(*schema)))
            columns.push_back({column.name, column.type.ToString()});
        return columns;
    } catch (const std::exception& exception) {
        return scan_error(exception);
    }
}

}  // namespace

Outcome<std::vector<FoundColumn>> Session::find_columns(UploadFormat format, std::string_view bytes) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        if (format == UploadFormat::arrow) return columns_in_arrow(*impl_, bytes);
        CopyFile file(*impl_->connection.context->db);
        file.append(bytes);
        file.close();
        const OwnStatement own(*impl_->connection.context, OwnCheck::nothing);
        const auto found = impl_->connection.Prepare(read(format, file));
        if (found->HasError()) {
            return without_path(to_query_error(found->GetErrorObject(), impl_->scrubber), file,
                                "no columns can be made out in the body");
        }
        std::vector<FoundColumn> columns;
        for (std::size_t i = 0; i < found->ColumnCount(); ++i)
            columns.push_back({found->GetNames()[i], found->GetTypes()[i].ToString()});
        return columns;
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

}  // namespace boathouse::engine
