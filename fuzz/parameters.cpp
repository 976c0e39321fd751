#include <array>
#include <cstdlib>
#include <duckdb.hpp>
#include <vector>

#include "engine/copy_decoders.hpp"
#include "engine/parameter_values.hpp"
#include "engine/wire_types.hpp"
#include "targets.hpp"

namespace boathouse::fuzz {

namespace {

using duckdb::LogicalType;

const std::vector<LogicalType>& types() {
    static const std::vector<LogicalType> all = {
        LogicalType::BOOLEAN,
        LogicalType::SMALLINT,
        LogicalType::INTEGER,
        LogicalType::BIGINT,
        LogicalType::HUGEINT,
        LogicalType::FLOAT,
        LogicalType::DOUBLE,
        LogicalType::DECIMAL(4, 2),
        LogicalType::DECIMAL(9, 3),
        LogicalType::DECIMAL(18, 9),
        LogicalType::DECIMAL(38, 10),
        LogicalType::VARCHAR,
        LogicalType::BLOB,
        LogicalType::DATE,
        LogicalType::TIME,
        LogicalType::TIME_TZ,
        LogicalType::TIMESTAMP,
        LogicalType::TIMESTAMP_TZ,
        LogicalType::INTERVAL,
        LogicalType::UUID,
        LogicalType::BIT,
        LogicalType::LIST(LogicalType::INTEGER),
        LogicalType::LIST(LogicalType::VARCHAR),
        LogicalType::LIST(LogicalType::LIST(LogicalType::DOUBLE)),
    };
    return all;
}

// What the engine would call a bug of its own.
void check(const std::exception& exception) {
    if (duckdb::ErrorData(exception).Type() == duckdb::ExceptionType::INTERNAL) std::abort();
}

}  // namespace

void parameters(std::string_view bytes) {
    static duckdb::DuckDB database(nullptr);
    static duckdb::Connection connection(database);
    connection.context->transaction.SetAutoCommit(false);
    if (!connection.HasActiveTransaction()) connection.BeginTransaction();
    if (bytes.size() < 2) return;
    const bool binary = (static_cast<unsigned char>(bytes[0]) & 1U) != 0;
    const bool copies = (static_cast<unsigned char>(bytes[0]) & 2U) != 0;
    const LogicalType& type = types()[static_cast<unsigned char>(bytes[1]) % types().size()];
    bytes.remove_prefix(2);
    try {
        if (copies) {
            const engine::CopyColumn column{"a", type};
            const engine::CopyDecoder decoder(column, binary);
            const std::array fields = {pgwire::CopyField{bytes.data(), bytes.size(), false},
                                       pgwire::CopyField{{}, 0, true}};
            duckdb::Vector vector(type);
            if (decoder.decode(*connection.context, fields, vector, 0) == 0)
                static_cast<void>(decoder.failure(fields[0]));
            return;
        }
        engine::ParameterValue parameter;
        parameter.format = binary ? 1 : 0;
        parameter.bytes = bytes;
        static_cast<void>(engine::decode_parameter(*connection.context, parameter, engine::wire_type(type).oid, type));
    } catch (const std::exception& exception) {
        check(exception);
    }
}

}  // namespace boathouse::fuzz
