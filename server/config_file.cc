#include "server/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"

namespace msab {
namespace {

// The text of a single value, as one would write it in the environment.
std::string ScalarText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  std::ostringstream date;
  node.visit([&date](const auto& value) { date << value; });
  return date.str();
}

// A key that had to be quoted stays so: it can't be mistaken for a path that we made.
std::string KeyText(std::string_view name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
  return bare ? std::string(name) : TomlString(name);
}

void Flatten(const std::string& key, const toml::node& node, FileValues& out) {
  if (const toml::table* table = node.as_table()) {
    if (table->empty()) out.emplace_back(key, Written{Written::Form::kTable, {}});
    for (const auto& [name, value] : *table) {
      const std::string child = KeyText(name.str());
      Flatten(key.empty() ? child : fmt::format("{}.{}", key, child), value, out);
    }
    return;
  }
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    out.emplace_back(key, Written{Written::Form::kText, {ScalarText(node)}});
    return;
  }
  const bool nested = std::any_of(array->begin(), array->end(), [](const toml::node& item) {
    return item.is_table() || item.is_array();
  });
  if (nested) {
    for (size_t i = 0; i < array->size(); ++i) {
      Flatten(fmt::format("{}[{}]", key, i), (*array)[i], out);
    }
    return;
  }
  Written list{Written::Form::kList, {}};
  for (const toml::node& item : *array) list.items.push_back(ScalarText(item));
  out.emplace_back(key, std::move(list));
}

}  // namespace

absl::StatusOr<FileValues> ReadConfigFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return absl::NotFoundError(path + ": cannot be read");
  FileValues values;
  try {
    const toml::table table = toml::parse(text, path);
    if (!table.empty()) Flatten("", table, values);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return absl::InvalidArgumentError(
        fmt::format("{}: line {}, column {}: {}", path, at.line, at.column, error.description()));
  }
  return values;
}

}  // namespace msab
