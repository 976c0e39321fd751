// Whether bytes are UTF-8 as PostgreSQL takes it: no surrogates, no overlong forms, nothing beyond U+10FFFF, no zero
// byte. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace boathouse::pgwire {

// Where the first sequence begins that is none; npos: all is well.
std::size_t find_invalid_utf8(std::string_view bytes);

// PostgreSQL's words for it: invalid byte sequence for encoding "UTF8": 0xe4 0x20.
std::string invalid_utf8_message(std::string_view bytes, std::size_t at);

}  // namespace boathouse::pgwire
