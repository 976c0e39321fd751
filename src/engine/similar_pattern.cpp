#include "engine/similar_pattern.hpp"

namespace boathouse::engine {

std::string similar_to_regex(std::string_view pattern) {
    std::string regex;
    bool in_brackets = false;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        const char letter = pattern[at];
        if (letter == '\\' && at + 1 < pattern.size()) {
            regex += '\\';
            regex += pattern[++at];
        } else if (in_brackets) {
            regex += letter;
            in_brackets = letter != ']';
        } else if (letter == '[') {
            regex += letter;
            in_brackets = true;
        } else if (letter == '%') {
            regex += ".*";
        } else if (letter == '_') {
            regex += '.';
        } else {
            if (letter == '.' || letter == '^' || letter == '$') regex += '\\';
            regex += letter;
        }
    }
    return regex;
}

}  // namespace boathouse::engine
