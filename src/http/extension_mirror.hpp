// GET /extensions/v<version>/<platform>/<name>.duckdb_extension.gz: DuckDB's extensions, for clients without internet.
//
// A DuckDB repository is a base URL; a client's `INSTALL ducklake FROM 'http://box:8080/extensions'` asks for
// <base>/<revision>/<platform>/<name>.duckdb_extension.gz (ExtensionHelper::ExtensionUrlTemplate in DuckDB's
// src/main/extension/extension_install.cpp), unpacks it and checks DuckDB's signature. The files are the official ones
// that the engine itself loads; each is compressed once, at its first request, into `cache_dir`, and streamed from
// there. Only names that stood in the extension directory at start are known, so no path leads anywhere else.
// Any thread may ask. Errors: limit (disk full) and permission at the first request, as a 503 or 403.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/error.hpp"
#include "http/router.hpp"

namespace boathouse::http {

class ExtensionMirror {
  public:
    ExtensionMirror(const std::string& extension_dir, std::string cache_dir);

    void add_routes(Router& router);

  private:
    struct Extension {
        std::string source;  // the uncompressed file

        std::mutex mutex;        // guards what follows; held while the file is compressed
        std::string compressed;  // empty: not yet made
        std::string etag;        //
    };

    Response get(const Request& request);
    Status compress(Extension& extension) const;

    std::string cache_dir_;
    std::map<std::string, Extension>
        extensions_;  // fixed after construction; "/extensions/v1.5.5/linux_amd64/ducklake.duckdb_extension.gz"
};

}  // namespace boathouse::http
