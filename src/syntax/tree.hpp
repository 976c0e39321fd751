// PostgreSQL's parse tree of a text, as libpg_query's typed nodes, and a way to walk over any of them.
//
// A Tree owns its nodes. Nodes are protobuf-c messages; for_each_child() finds their parts through protobuf-c's own
// descriptions, so that a walk needs no list of node types. Private to src/syntax/; any thread.
#pragma once

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/parse_tree.hpp"
#include "syntax/token.hpp"

namespace boathouse::syntax {

struct FreeTree {
    void operator()(PgQuery__ParseResult* tree) const { pg_query__parse_result__free_unpacked(tree, nullptr); }
};

struct Tree {
    std::vector<Token> tokens;
    std::unique_ptr<PgQuery__ParseResult, FreeTree> root;
};

Parsed<Tree> parse_nodes(std::string_view text);

// The node inside the Node that protobuf wraps around it; null for an empty one.
const ProtobufCMessage* unwrap(const PgQuery__Node* node);

// `node` as a T if it is one. T's description is T__descriptor.
template <class T>
const T* as(const ProtobufCMessage* node, const ProtobufCMessageDescriptor& type) {
    return node && node->descriptor == &type ? reinterpret_cast<const T*>(node) : nullptr;
}

// Calls visit(const ProtobufCMessage&) for each direct part of `node`, wrapping Nodes removed.
template <class Visit>
void for_each_child(const ProtobufCMessage& node, Visit visit);

// "TypeCast" of a node.
inline std::string_view tag_of(const ProtobufCMessage& node) {
    return node.descriptor->short_name;
}

// A list of String nodes: the parts of a dotted name.
std::vector<std::string> names_of(PgQuery__Node* const* list, std::size_t count);

// The word of a keyword that is a function: "current_user".
std::string_view sql_value_function_name(PgQuery__SQLValueFunctionOp op);

namespace internal {

inline const ProtobufCMessage* part_at(const ProtobufCMessage& node, std::size_t offset) {
    return *reinterpret_cast<const ProtobufCMessage* const*>(reinterpret_cast<const char*>(&node) + offset);
}

}  // namespace internal

template <class Visit>
void for_each_child(const ProtobufCMessage& node, Visit visit) {
    const auto give = [&](const ProtobufCMessage* part) {
        if (part && part->descriptor == &pg_query__node__descriptor)
            part = unwrap(reinterpret_cast<const PgQuery__Node*>(part));
        if (part) visit(*part);
    };
    const ProtobufCMessageDescriptor& type = *node.descriptor;
    for (unsigned i = 0; i < type.n_fields; ++i) {
        const ProtobufCFieldDescriptor& field = type.fields[i];
        if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
        const char* const base = reinterpret_cast<const char*>(&node);
        if (field.label == PROTOBUF_C_LABEL_REPEATED) {
            const std::size_t count = *reinterpret_cast<const std::size_t*>(base + field.quantifier_offset);
            const auto* const parts = *reinterpret_cast<ProtobufCMessage* const* const*>(base + field.offset);
            for (std::size_t k = 0; k < count; ++k) give(parts[k]);
        } else if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
                   *reinterpret_cast<const std::uint32_t*>(base + field.quantifier_offset) == field.id) {
            give(internal::part_at(node, field.offset));
        }
    }
}

}  // namespace boathouse::syntax
