#include "engine/json_tree.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <duckdb.hpp>
#include <optional>

namespace boathouse::engine {

using Kind = JsonNode::Kind;

namespace {

using Text = boost::json::string_view;
using Failure = boost::json::error_code;

// The events of boost's parser, put together. A level is open from the array's or object's begin to its end.
class Builder {
  public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    JsonNode take() { return std::move(root_); }

    bool on_document_begin(Failure&) { return true; }
    bool on_document_end(Failure&) { return true; }
    bool on_array_begin(Failure&) { return open(Kind::array); }
    bool on_array_end(std::size_t, Failure&) { return close(); }
    bool on_object_begin(Failure&) { return open(Kind::object); }
    bool on_object_end(std::size_t, Failure&) { return close(); }
    bool on_string_part(Text part, std::size_t, Failure&) { return gather(part); }
    bool on_string(Text part, std::size_t, Failure&) { return gather(part) && add(Kind::string); }
    bool on_key_part(Text part, std::size_t, Failure&) { return gather(part); }
    bool on_key(Text part, std::size_t, Failure&) {
        gather(part);
        keys_.back() = std::exchange(text_, {});
        return true;
    }
    bool on_number_part(Text part, Failure&) { return gather(part); }
    bool on_int64(std::int64_t, Text part, Failure&) { return gather(part) && add(Kind::number); }
    bool on_uint64(std::uint64_t, Text part, Failure&) { return gather(part) && add(Kind::number); }
    bool on_double(double, Text part, Failure&) { return gather(part) && add(Kind::number); }
    bool on_bool(bool value, Failure&) { return gather(value ? "true" : "false") && add(Kind::boolean); }
    bool on_null(Failure&) { return add(Kind::null); }
    bool on_comment_part(Text, Failure&) { return true; }
    bool on_comment(Text, Failure&) { return true; }

  private:
    bool gather(Text part) {
        text_.append(part.data(), part.size());
        return true;
    }
    bool open(Kind kind) {
        open_.emplace_back().kind = kind;
        keys_.emplace_back();
        return true;
    }
    bool close() {
        JsonNode node = std::move(open_.back());
        open_.pop_back();
        keys_.pop_back();
        return put(std::move(node));
    }
    bool add(Kind kind) {
        JsonNode node;
        node.kind = kind;
        node.text = std::exchange(text_, {});
        return put(std::move(node));
    }
    bool put(JsonNode node) {
        if (open_.empty()) {
            root_ = std::move(node);
        } else if (open_.back().kind == Kind::array) {
            open_.back().items.push_back(std::move(node));
        } else {
            open_.back().members.push_back({std::move(keys_.back()), std::move(node)});
        }
        return true;
    }

    JsonNode root_;
    std::vector<JsonNode> open_;
    std::vector<std::string> keys_;  // the present one of each open level
    std::string text_;
};

bool is_shorter(const std::string& left, const std::string& right) {
    return left.size() != right.size() ? left.size() < right.size() : left < right;
}

// Of a key that comes twice the last stays.
void order_members(JsonNode& object) {
    auto& members = object.members;
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& left, const auto& right) { return is_shorter(left.key, right.key); });
    std::vector<JsonMember> last;
    for (JsonMember& member : members) {
        if (!last.empty() && last.back().key == member.key) last.pop_back();
        last.push_back(std::move(member));
    }
    members = std::move(last);
}

void order_all(JsonNode& node) {
    for (JsonNode& item : node.items) order_all(item);
    for (auto& [key, value] : node.members) order_all(value);
    if (node.kind == Kind::object) order_members(node);
}

void write(std::string& out, const JsonNode& node) {
    switch (node.kind) {
        case Kind::null:
            out += "null";
            return;
        case Kind::boolean:
        case Kind::number:
            out += node.text;
            return;
        case Kind::string:
            out += boost::json::serialize(Text(node.text));
            return;
        case Kind::array:
            out += '[';
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                if (i > 0) out += ", ";
                write(out, node.items[i]);
            }
            out += ']';
            return;
        case Kind::object:
            out += '{';
            for (std::size_t i = 0; i < node.members.size(); ++i) {
                if (i > 0) out += ", ";
                out.append(boost::json::serialize(Text(node.members[i].key))).append(": ");
                write(out, node.members[i].value);
            }
            out += '}';
            return;
    }
}

JsonNode* member(JsonNode& object, std::string_view key) {
    const auto found =
        std::find_if(object.members.begin(), object.members.end(), [&](const auto& entry) { return entry.key == key; });
    return found == object.members.end() ? nullptr : &found->value;
}

// The place in an array that a step of a path names; one before the first or behind the last where it names none.
std::int64_t place_of(const JsonNode& array, const std::string& step) {
    std::int64_t index = 0;
    const auto read = std::from_chars(step.data(), step.data() + step.size(), index);
    if (read.ec != std::errc() || read.ptr != step.data() + step.size())
        throw duckdb::InvalidInputException("path element is not an integer: \"%s\"", step);
    const auto size = static_cast<std::int64_t>(array.items.size());
    if (index < 0) index += size;
    return std::clamp<std::int64_t>(index, -1, size);
}

bool is_inside(const JsonNode& array, std::int64_t index) {
    return index >= 0 && index < static_cast<std::int64_t>(array.items.size());
}

// What a step leads to; null: nothing is there.
JsonNode* step_into(JsonNode& node, const std::string& step) {
    if (node.kind == Kind::object) return member(node, step);
    if (node.kind != Kind::array) return nullptr;
    const std::int64_t index = place_of(node, step);
    return is_inside(node, index) ? &node.items[static_cast<std::size_t>(index)] : nullptr;
}

void put_member(JsonNode& object, const std::string& key, const JsonNode& value, Place place) {
    JsonNode* const present = member(object, key);
    const bool inserts = place == Place::before || place == Place::after;
    if (present && inserts)
        throw duckdb::InvalidInputException("cannot replace existing key: use jsonb_set to replace key value");
    if (present) {
        *present = value;
    } else if (place != Place::only_existing) {
        object.members.push_back({key, value});
    }
}

void put_item(JsonNode& array, const std::string& step, const JsonNode& value, Place place) {
    const std::int64_t index = place_of(array, step);
    const bool inside = is_inside(array, index);
    if (place == Place::only_existing || place == Place::existing_or_new) {
        if (inside) {
            array.items[static_cast<std::size_t>(index)] = value;
        } else if (place == Place::existing_or_new) {
            array.items.insert(index < 0 ? array.items.begin() : array.items.end(), value);
        }
        return;
    }
    const std::int64_t at = std::max<std::int64_t>(index, 0) + (place == Place::after && inside ? 1 : 0);
    array.items.insert(array.items.begin() + at, value);
}

}  // namespace

JsonNode read_json(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;
    boost::json::basic_parser<Builder> parser(options);
    Failure failure;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), failure);
    const bool has_more = text.find_first_not_of(" \t\r\n", read) != std::string_view::npos;
    if (failure || has_more) throw duckdb::InvalidInputException("invalid input syntax for type json");
    JsonNode node = parser.handler().take();
    order_all(node);
    return node;
}

std::string write_json(const JsonNode& node) {
    std::string text;
    write(text, node);
    return text;
}

JsonNode concatenate(JsonNode left, JsonNode right) {
    if (left.kind == Kind::object && right.kind == Kind::object) {
        for (JsonMember& entry : right.members) left.members.push_back(std::move(entry));
        order_members(left);
        return left;
    }
    JsonNode list;
    list.kind = Kind::array;
    for (JsonNode* side : {&left, &right}) {
        if (side->kind != Kind::array) {
            list.items.push_back(std::move(*side));
            continue;
        }
        for (JsonNode& item : side->items) list.items.push_back(std::move(item));
    }
    return list;
}

JsonNode without_key(JsonNode node, std::string_view key) {
    if (node.is_scalar()) throw duckdb::InvalidInputException("cannot delete from scalar");
    std::erase_if(node.members, [&](const auto& entry) { return entry.key == key; });
    std::erase_if(node.items, [&](const JsonNode& item) { return item.kind == Kind::string && item.text == key; });
    return node;
}

JsonNode without_item(JsonNode node, std::int64_t index) {
    if (node.is_scalar()) throw duckdb::InvalidInputException("cannot delete from scalar");
    if (node.kind == Kind::object) throw duckdb::InvalidInputException("cannot delete from object using integer index");
    if (index < 0) index += static_cast<std::int64_t>(node.items.size());
    if (is_inside(node, index)) node.items.erase(node.items.begin() + index);
    return node;
}

JsonNode without_path(JsonNode node, const std::vector<std::string>& path) {
    if (node.is_scalar()) throw duckdb::InvalidInputException("cannot delete path in scalar");
    if (path.empty()) return node;
    JsonNode* at = &node;
    for (std::size_t i = 0; i + 1 < path.size() && at; ++i) at = step_into(*at, path[i]);
    if (!at || at->is_scalar()) return node;
    if (at->kind == Kind::object) {
        std::erase_if(at->members, [&](const auto& entry) { return entry.key == path.back(); });
    } else if (const std::int64_t index = place_of(*at, path.back()); is_inside(*at, index)) {
        at->items.erase(at->items.begin() + index);
    }
    return node;
}

bool has_key(const JsonNode& node, std::string_view key) {
    if (node.kind == Kind::string) return node.text == key;
    const auto is_key = [&](const JsonNode& item) { return item.kind == Kind::string && item.text == key; };
    return std::any_of(node.items.begin(), node.items.end(), is_key) ||
           std::any_of(node.members.begin(), node.members.end(), [&](const auto& entry) { return entry.key == key; });
}

JsonNode with_value(JsonNode node, const std::vector<std::string>& path, const JsonNode& value, Place place) {
    if (node.is_scalar()) throw duckdb::InvalidInputException("cannot set path in scalar");
    if (path.empty()) return node;
    JsonNode* at = &node;
    for (std::size_t i = 0; i + 1 < path.size() && at; ++i) at = step_into(*at, path[i]);
    if (!at || at->is_scalar()) return node;
    if (at->kind == Kind::object) {
        put_member(*at, path.back(), value, place);
        order_members(*at);
    } else {
        put_item(*at, path.back(), value, place);
    }
    return node;
}

JsonNode without_nulls(JsonNode node) {
    std::erase_if(node.members, [](const auto& entry) { return entry.value.kind == Kind::null; });
    for (auto& [key, value] : node.members) value = without_nulls(std::move(value));
    for (JsonNode& item : node.items) item = without_nulls(std::move(item));
    return node;
}

}  // namespace boathouse::engine
