// Answers that go into files: COPY TO in Parquet, and Session::run_to_file().
#include "engine/answer_file.hpp"

#include <duckdb/parser/expression/star_expression.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/copy_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/column_data_ref.hpp>

#include "engine/arrow_answer.hpp"
#include "engine/session_impl.hpp"

namespace boathouse::engine {

namespace {

using Query = duckdb::unique_ptr<duckdb::QueryNode>;

duckdb::unique_ptr<duckdb::CopyStatement> copy_of(Query query, FileFormat format, const std::string& path) {
    auto copy = duckdb::make_uniq<duckdb::CopyStatement>();
    copy->info->is_from = false;
    copy->info->file_path = path;
    copy->info->select_statement = std::move(query);
    switch (format) {
        case FileFormat::parquet:
            copy->info->format = "parquet";
            break;
        case FileFormat::csv:
            copy->info->format = "csv";
            copy->info->options["header"] = {duckdb::Value::BOOLEAN(true)};
            break;
        case FileFormat::json:
            copy->info->format = "json";
            copy->info->options["array"] = {duckdb::Value::BOOLEAN(true)};
            break;
        case FileFormat::ndjson:
            copy->info->format = "json";
            break;
        case FileFormat::arrow:  // not by COPY: write_arrow()
            break;
    }
    return copy;
}

// A query of rows that are there already.
Query query_of(duckdb::unique_ptr<duckdb::ColumnDataCollection> rows, const duckdb::vector<std::string>& names) {
    auto node = duckdb::make_uniq<duckdb::SelectNode>();
    node->select_list.push_back(duckdb::make_uniq<duckdb::StarExpression>());
    node->from_table = duckdb::make_uniq<duckdb::ColumnDataRef>(std::move(rows), names);
    node->from_table->alias = "answer";
    return node;
}

}  // namespace

duckdb::unique_ptr<duckdb::QueryResult> Session::Impl::copy_to_file(duckdb::unique_ptr<duckdb::QueryNode> query,
                                                                    FileFormat format, const CopyFile& file) {
    auto copy = copy_of(std::move(query), format, file.path());
    const auto watching = begin_watch();
    announce(*copy, "COPY");
    auto result = connection.Query(std::move(copy));
    end_watch();
    return result;
}

// What DuckDB still has to give; the connection is free then.
duckdb::unique_ptr<duckdb::ColumnDataCollection> Session::Impl::take_all(duckdb::QueryResult& result) {
    auto rows = duckdb::make_uniq<duckdb::ColumnDataCollection>(
        duckdb::BufferManager::GetBufferManager(*connection.context), result.types);
    duckdb::ColumnDataAppendState append;
    rows->InitializeAppend(append);
    while (auto chunk = result.Fetch()) {
        if (chunk->size() == 0) break;
        rows->Append(append, *chunk);
    }
    reading = nullptr;
    if (result.HasError()) result.ThrowError();
    return rows;
}

// What DuckDB still has to give, as an Arrow stream; the connection is free then.
Outcome<AnswerFile> Session::Impl::write_arrow_file(duckdb::QueryResult& result) {
    auto file = std::make_shared<CopyFile>(*connection.context->db);
    auto written = write_arrow(*connection.context, result, *file);
    reading = nullptr;
    if (!written) return written.error();
    if (interrupted) return interruption();
    file->close();
    return AnswerFile{file->path(), "", file};
}

Outcome<std::unique_ptr<ResultStream>> Session::run_to_parquet(Parsed query) {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        auto& statements = query.impl_->statements;
        if (statements.size() != 1 || statements.front()->type != duckdb::StatementType::SELECT_STATEMENT)
            return QueryError{"0A000", "COPY in Parquet takes a SELECT"};
        auto file = std::make_unique<CopyFile>(*impl_->connection.context->db);
        auto result = impl_->copy_to_file(std::move(statements.front()->Cast<duckdb::SelectStatement>().node),
                                          FileFormat::parquet, *file);
        if (result->HasError()) return to_query_error(result->GetErrorObject(), impl_->scrubber);
        const auto rows = result->Cast<duckdb::MaterializedQueryResult>().GetValue(0, 0).GetValue<std::uint64_t>();
        auto stream = std::make_unique<ResultStream::Impl>(*impl_, std::move(result), "COPY");
        stream->columns.clear();
        stream->rows = rows;
        stream->file = std::move(file);
        return std::unique_ptr<ResultStream>(new ResultStream(std::move(stream)));
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

Outcome<AnswerFile> Session::run_to_file(Parsed statement, FileFormat format) {
    const syntax::PositionMap positions = statement.impl_->positions;
    try {
        auto& statements = statement.impl_->statements;
        AnswerFile answer;
        Query query;
        const bool is_select =
            statements.size() == 1 && statements.front()->type == duckdb::StatementType::SELECT_STATEMENT;
        if (is_select && format != FileFormat::arrow) {
            if (auto settled = impl_->settle(); !settled) return settled.error();
            if (impl_->interrupted) return interruption();
            query = std::move(statements.front()->Cast<duckdb::SelectStatement>().node);
        } else {
            auto stream = run(std::move(statement));
            if (!stream) return stream.error();
            ResultStream::Impl& rows = *(*stream)->impl_;
            if (!rows.gives_rows()) {
                pgwire::Buffer nothing;
                if (const auto end = (*stream)->encode(nothing, {}); !end) return end.error();
                answer.tag = (*stream)->command_tag();
                return answer;
            }
            if (format == FileFormat::arrow) return impl_->write_arrow_file(*rows.result);
            query = query_of(impl_->take_all(*rows.result), rows.result->names);
        }
        auto file = std::make_shared<CopyFile>(*impl_->connection.context->db);
        const auto result = impl_->copy_to_file(std::move(query), format, *file);
        if (result->HasError()) return impl_->describe(result->GetErrorObject(), positions);
        if (impl_->interrupted) return interruption();
        answer.path = file->path();
        answer.keeps = std::move(file);
        return answer;
    } catch (const std::exception& exception) {
        return impl_->describe(exception, positions);
    }
}

}  // namespace boathouse::engine
