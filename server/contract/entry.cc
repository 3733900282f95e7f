#include "server/contract/entry.h"

#include <algorithm>

namespace msab {

bool Entry::Carries(const Entry& older) const {
  return std::includes(fields.begin(), fields.end(), older.fields.begin(), older.fields.end());
}

bool Replaces(const Entry& newer, const Entry& older) {
  return newer.name == older.name && newer.occurred_at >= older.occurred_at && newer.Carries(older);
}

bool OutdatedBy(const Entry& newer, const Entry& kept) {
  return newer.name == kept.name && newer.occurred_at < kept.occurred_at && kept.Carries(newer);
}

}  // namespace msab
