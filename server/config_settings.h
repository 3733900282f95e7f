#ifndef MSAB_CONFIG_SETTINGS_H_
#define MSAB_CONFIG_SETTINGS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config.h"

namespace msab {

// A setting's value as it was written, in the file or in the environment.
struct Written {
  enum class Form { kText, kList, kTable };
  Form form = Form::kText;
  std::vector<std::string> items;  // kText: one
};

// One row of the table of settings: all that loading, printing and documenting need to know.
struct Setting {
  std::string_view key;           // "ws.listen"
  std::string_view short_name;    // a second name in the environment; empty: none
  std::string_view default_text;  // as one would write it; empty: not set
  std::string_view help;
  bool list = false;  // several values: a TOML array, commas in the environment

  // Reads `written` into the config. Returns what is wrong with it, a fault each; none: fine.
  std::function<std::vector<std::string>(const Written& written, Config& config)> load;
  // The value as TOML, secrets masked.
  std::function<std::string(const Config& config)> print;

  std::string Environment() const;  // "MSAB_WS_LISTEN"
};

// The table. Its order is that of the printed configuration: first the keys without a section.
const std::vector<Setting>& Settings();

// `text` as a TOML string.
std::string TomlString(std::string_view text);

}  // namespace msab

#endif  // MSAB_CONFIG_SETTINGS_H_
