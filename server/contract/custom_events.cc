#include "server/contract/custom_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"

namespace msab {
namespace {

constexpr size_t kMaxName = 128;

constexpr std::array<std::string_view, 12> kReserved = {
    "auth", "connect", "connect_error", "disconnect", "disconnecting",  "gap",
    "live", "ping",    "newListener",   "welcome",    "removeListener", "session:closed",
};

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' ||
                  c == ':' || c == '-' || c == '\\';
         });
}

absl::Status Refuse(std::string_view name, std::string_view fault) {
  return absl::FailedPreconditionError(fmt::format("custom event \"{}\": {}", name, fault));
}

}  // namespace

bool IsReservedName(std::string_view name) {
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

absl::Status CustomEvents::Add(const EventType* type) {
  std::string_view name = type->name;
  const bool pattern = name.ends_with('*');
  if (pattern) name.remove_suffix(1);
  // A lone '*' matches any name.
  if (!IsName(name) && !(pattern && name.empty())) {
    return Refuse(type->name,
                  "its name must be 1 to 128 letters, digits and _ . : - \\, with at most one '*', "
                  "at the end");
  }
  if (!pattern) {
    if (IsReservedName(name)) return Refuse(type->name, "the name is the relay's own");
    if (!exact_.emplace(name, type).second) return Refuse(type->name, "listed twice");
    return absl::OkStatus();
  }
  const auto longer = [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); };
  std::pair<std::string, const EventType*> entry(name, type);
  const auto place = std::lower_bound(prefixes_.begin(), prefixes_.end(), entry, longer);
  for (auto it = place; it != prefixes_.end() && it->first.size() == name.size(); ++it) {
    if (it->first == name) return Refuse(type->name, "listed twice");
  }
  prefixes_.insert(place, std::move(entry));
  return absl::OkStatus();
}

const EventType* CustomEvents::Find(std::string_view name) const {
  if (!IsName(name) || IsReservedName(name)) return nullptr;
  if (const auto it = exact_.find(name); it != exact_.end()) return it->second;
  for (const auto& [prefix, type] : prefixes_) {
    if (name.starts_with(prefix)) return type;
  }
  return nullptr;
}

}  // namespace msab
