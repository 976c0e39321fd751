// Other encodings than UTF-8, for COPY … ENCODING: names as PostgreSQL has them, conversion by iconv.
//
// A Recoder belongs to one stream and one thread. Errors: corrupt, for bytes that are no text in the one encoding or
// have no equal in the other.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace boathouse::pgwire {

// iconv's name of one of PostgreSQL's encodings, in any case and with or without its hyphens; empty for UTF-8, nullopt
// for a name that is none. SQL_ASCII takes bytes as they are.
std::optional<std::string> iconv_name(std::string_view name);

class Recoder {
  public:
    // By iconv's names; empty is UTF-8.
    Recoder(const std::string& from, const std::string& to);
    ~Recoder();

    // The next bytes, cut anywhere; what is cut in the middle of a character waits for the rest.
    Result<std::string> convert(std::string_view bytes);
    // No more bytes come. Fails if half a character is left.
    Status finish() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::pgwire
