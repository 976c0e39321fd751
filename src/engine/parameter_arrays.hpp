// Arrays in parameters of Bind: PostgreSQL's array_in and array_recv, of up to six dimensions, to DuckDB's nested
// lists.
//
// Private to src/engine/. Bytes come from the client and are trusted in nothing: what does not decode throws a
// duckdb::Exception, and no more is allotted than the bytes that came can hold. Pure functions.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

// One value of the array, of the type `element`, from its bytes.
using DecodeElement = duckdb::Value (*)(std::uint32_t element, std::string_view bytes);

// {a,"b c",NULL}, {{1,2},{3,4}}. `value_type` is the type of what `decode` gives.
duckdb::Value decode_text_array(std::uint32_t element, const duckdb::LogicalType& value_type, std::string_view text,
                                DecodeElement decode);

duckdb::Value decode_binary_array(std::uint32_t element, const duckdb::LogicalType& value_type, std::string_view bytes,
                                  DecodeElement decode);

}  // namespace boathouse::engine
