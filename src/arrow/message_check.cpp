#include "arrow/message_check.hpp"

#include <nanoarrow/ipc/flatcc_generated.h>

namespace boathouse::arrow {
namespace {

bool is_length(std::int64_t length) {
    return length >= 0 && length <= kLengthMax;
}

bool has_possible_nodes(org_apache_arrow_flatbuf_RecordBatch_table_t batch) {
    const auto* const nodes = org_apache_arrow_flatbuf_RecordBatch_nodes(batch);
    for (std::size_t i = 0; i < org_apache_arrow_flatbuf_FieldNode_vec_len(nodes); ++i) {
        const auto* const node = org_apache_arrow_flatbuf_FieldNode_vec_at(nodes, i);
        const std::int64_t length = org_apache_arrow_flatbuf_FieldNode_length(node);
        const std::int64_t nulls = org_apache_arrow_flatbuf_FieldNode_null_count(node);
        if (!is_length(length) || nulls < 0 || nulls > length) return false;
    }
    return true;
}

bool has_possible_buffers(org_apache_arrow_flatbuf_RecordBatch_table_t batch, std::int64_t body_bytes) {
    const auto* const buffers = org_apache_arrow_flatbuf_RecordBatch_buffers(batch);
    for (std::size_t i = 0; i < org_apache_arrow_flatbuf_Buffer_vec_len(buffers); ++i) {
        const auto* const buffer = org_apache_arrow_flatbuf_Buffer_vec_at(buffers, i);
        const std::int64_t at = org_apache_arrow_flatbuf_Buffer_offset(buffer);
        const std::int64_t bytes = org_apache_arrow_flatbuf_Buffer_length(buffer);
        if (at < 0 || bytes < 0 || at > body_bytes || bytes > body_bytes - at) return false;
    }
    return true;
}

std::optional<std::string> find_batch_fault(org_apache_arrow_flatbuf_RecordBatch_table_t batch,
                                            std::int64_t body_bytes) {
    if (batch == nullptr) return "it has no data";
    if (!is_length(org_apache_arrow_flatbuf_RecordBatch_length(batch)) || !has_possible_nodes(batch))
        return "it tells lengths that cannot be";
    if (!has_possible_buffers(batch, body_bytes)) return "it tells of buffers that do not lie in its body";
    return std::nullopt;
}

// nanoarrow takes a compressed dictionary's bytes for its values.
std::optional<std::string> find_dictionary_fault(org_apache_arrow_flatbuf_RecordBatch_table_t values,
                                                 std::int64_t body_bytes) {
    if (auto fault = find_batch_fault(values, body_bytes)) return fault;
    if (org_apache_arrow_flatbuf_RecordBatch_compression(values) == nullptr) return std::nullopt;
    return "a dictionary whose buffers are compressed is not read here: send the values without a dictionary, or the "
           "buffers uncompressed";
}

std::optional<std::string> find_field_fault(org_apache_arrow_flatbuf_Field_vec_t fields) {
    for (std::size_t i = 0; i < org_apache_arrow_flatbuf_Field_vec_len(fields); ++i) {
        const auto* const field = org_apache_arrow_flatbuf_Field_vec_at(fields, i);
        if (org_apache_arrow_flatbuf_Field_type(field) == nullptr) return "a field has no type";
        const auto* const dictionary = org_apache_arrow_flatbuf_Field_dictionary(field);
        // They are int32 where nothing is said, but nanoarrow wants to be told.
        if (dictionary != nullptr && org_apache_arrow_flatbuf_DictionaryEncoding_indexType(dictionary) == nullptr)
            return "a dictionary does not say of which type its indices are";
        if (auto fault = find_field_fault(org_apache_arrow_flatbuf_Field_children(field))) return fault;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> find_message_fault(std::string_view flatbuffer, std::int64_t body_bytes) {
    const auto* const message = org_apache_arrow_flatbuf_Message_as_root(flatbuffer.data());
    const auto* const header = org_apache_arrow_flatbuf_Message_header(message);
    if (header == nullptr) return "it has no header";
    switch (org_apache_arrow_flatbuf_Message_header_type(message)) {
        case org_apache_arrow_flatbuf_MessageHeader_Schema:
            return find_field_fault(
                org_apache_arrow_flatbuf_Schema_fields(static_cast<org_apache_arrow_flatbuf_Schema_table_t>(header)));
        case org_apache_arrow_flatbuf_MessageHeader_RecordBatch:
            return find_batch_fault(static_cast<org_apache_arrow_flatbuf_RecordBatch_table_t>(header), body_bytes);
        case org_apache_arrow_flatbuf_MessageHeader_DictionaryBatch:
            return find_dictionary_fault(org_apache_arrow_flatbuf_DictionaryBatch_data(
                                             static_cast<org_apache_arrow_flatbuf_DictionaryBatch_table_t>(header)),
                                         body_bytes);
        default:
            return std::nullopt;
    }
}

DictionaryParts parts_of_dictionary(std::string_view flatbuffer) {
    const auto* const dictionary = static_cast<org_apache_arrow_flatbuf_DictionaryBatch_table_t>(
        org_apache_arrow_flatbuf_Message_header(org_apache_arrow_flatbuf_Message_as_root(flatbuffer.data())));
    const auto* const values = org_apache_arrow_flatbuf_DictionaryBatch_data(dictionary);
    return {.id = org_apache_arrow_flatbuf_DictionaryBatch_id(dictionary),
            .nodes = org_apache_arrow_flatbuf_FieldNode_vec_len(org_apache_arrow_flatbuf_RecordBatch_nodes(values)),
            .buffers = org_apache_arrow_flatbuf_Buffer_vec_len(org_apache_arrow_flatbuf_RecordBatch_buffers(values))};
}

}  // namespace boathouse::arrow
