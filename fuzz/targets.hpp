// What is fuzzed: each target takes any bytes and must neither crash nor read out of bounds nor answer differently to
// the same bytes cut another way; a broken promise aborts.
//
// The same functions serve libFuzzer (one program a target, preset `fuzz`) and an ordinary test that replays the corpus
// in every build. Pure functions; any thread.
#pragma once

#include <string_view>

namespace boathouse::fuzz {

// Messages of a client: frames cut off the bytes, each decoded by its type.
void frontend(std::string_view bytes);

// A COPY FROM's stream in one format, cut into messages and blocks in two ways. The first two bytes choose the options.
void copy_text(std::string_view bytes);
void copy_csv(std::string_view bytes);
void copy_binary(std::string_view bytes);

// A value of Bind, or a field of a COPY FROM. The first byte chooses between them and the format, the second the type.
// DuckDB itself is linked as it is, without sanitizers.
void parameters(std::string_view bytes);

}  // namespace boathouse::fuzz
