#include "engine/arrow_answer.hpp"

#include <duckdb/common/arrow/arrow_appender.hpp>
#include <duckdb/common/arrow/arrow_converter.hpp>
#include <duckdb/common/arrow/arrow_type_extension.hpp>
#include <duckdb/common/type_visitor.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>
#include <optional>

#include "arrow/stream_writer.hpp"

namespace boathouse::engine {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

// A batch ends with the first chunk beyond one of them.
constexpr duckdb::idx_t kBatchRows = 65'536;
constexpr duckdb::idx_t kBatchBytes = duckdb::idx_t{16} << 20;

// DuckDB writes an ENUM as a dictionary, which the stream's writer has not: its texts are as good.
LogicalType without_enums(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::ENUM:
            return LogicalType::VARCHAR;
        case LogicalTypeId::LIST:
            return LogicalType::LIST(without_enums(duckdb::ListType::GetChildType(type)));
        case LogicalTypeId::ARRAY:
            return LogicalType::ARRAY(without_enums(duckdb::ArrayType::GetChildType(type)),
                                      duckdb::ArrayType::GetSize(type));
        case LogicalTypeId::MAP:
            return LogicalType::MAP(without_enums(duckdb::MapType::KeyType(type)),
                                    without_enums(duckdb::MapType::ValueType(type)));
        case LogicalTypeId::STRUCT: {
            duckdb::child_list_t<LogicalType> fields;
            for (const auto& [name, field] : duckdb::StructType::GetChildTypes(type))
                fields.emplace_back(name, without_enums(field));
            return LogicalType::STRUCT(std::move(fields));
        }
        default:
            return type;
    }
}

class ArrowAnswer {
  public:
    ArrowAnswer(duckdb::ClientContext& context, const duckdb::QueryResult& rows, CopyFile& file)
        : context_(context), file_(file), properties_(context.GetClientProperties()) {
        for (const LogicalType& type : rows.types)
            types_.push_back(duckdb::TypeVisitor::Contains(type, LogicalTypeId::ENUM) ? without_enums(type) : type);
        extensions_ = duckdb::ArrowTypeExtensionData::GetExtensionTypes(context, types_);
    }

    Status begin(const duckdb::vector<std::string>& names) {
        ArrowSchema made;
        duckdb::ArrowConverter::ToArrowSchema(&made, types_, names, properties_);
        const nanoarrow::UniqueSchema schema(&made);
        auto writer = arrow::StreamWriter::begin(*schema.get());
        if (!writer) return writer.error();
        writer_.emplace(std::move(*writer));
        return {};
    }

    Status add(duckdb::DataChunk& chunk) {
        if (!appender_) {
            appender_ =
                duckdb::make_uniq<duckdb::ArrowAppender>(types_, STANDARD_VECTOR_SIZE, properties_, extensions_);
        }
        duckdb::DataChunk cast;
        cast.InitializeEmpty(types_);
        for (std::size_t i = 0; i < types_.size(); ++i) {
            if (chunk.data[i].GetType() == types_[i]) {
                cast.data[i].Reference(chunk.data[i]);
            } else {
                duckdb::Vector texts(types_[i], chunk.size());
                duckdb::VectorOperations::Cast(context_, chunk.data[i], texts, chunk.size());
                cast.data[i].Reference(texts);
            }
        }
        cast.SetCardinality(chunk.size());
        appender_->Append(cast, 0, chunk.size(), chunk.size());
        bytes_ += chunk.GetAllocationSize();
        if (appender_->RowCount() < kBatchRows && bytes_ < kBatchBytes) return {};
        return end_batch();
    }

    Status finish() {
        if (auto ended = end_batch(); !ended) return ended;
        if (auto finished = writer_->finish(); !finished) return finished;
        flush();
        return {};
    }

  private:
    Status end_batch() {
        if (!appender_) return {};
        ArrowArray made = appender_->Finalize();
        const nanoarrow::UniqueArray batch(&made);
        appender_.reset();
        bytes_ = 0;
        if (auto written = writer_->write(*batch.get()); !written) return written;
        flush();
        return {};
    }

    void flush() {
        file_.append(writer_->bytes());
        writer_->forget_bytes();
    }

    duckdb::ClientContext& context_;
    CopyFile& file_;
    duckdb::ClientProperties properties_;
    duckdb::vector<LogicalType> types_;
    duckdb::unordered_map<duckdb::idx_t, const duckdb::shared_ptr<duckdb::ArrowTypeExtensionData>> extensions_;
    std::optional<arrow::StreamWriter> writer_;
    duckdb::unique_ptr<duckdb::ArrowAppender> appender_;  // null: the batch has no rows yet
    duckdb::idx_t bytes_ = 0;                             // of the batch, about
};

Outcome<void> outcome(const Status& status) {
    if (status) return {};
    return QueryError{"0A000", status.error().message};
}

}  // namespace

Outcome<void> write_arrow(duckdb::ClientContext& context, duckdb::QueryResult& rows, CopyFile& file) {
    ArrowAnswer answer(context, rows, file);
    if (auto begun = answer.begin(rows.names); !begun) return outcome(begun);
    while (auto chunk = rows.Fetch()) {
        if (chunk->size() == 0) break;
        if (auto added = answer.add(*chunk); !added) return outcome(added);
    }
    if (rows.HasError()) rows.ThrowError();
    return outcome(answer.finish());
}

}  // namespace boathouse::engine
