#include "server/session/limits.h"

namespace msab {

ConnectionLimits::Refusal ConnectionLimits::Admit(Ticket& ticket) {
  ticket.Release();
  ticket.limits_ = this;
  sockets_.fetch_add(1);
  // Counted first and taken back if it was one too many: exact without a lock.
  if (connections_.fetch_add(1) >= options_.max_connections && options_.max_connections != 0) {
    connections_.fetch_sub(1);
    return Refusal::kConnections;
  }
  if (unauthenticated_.fetch_add(1) >= options_.max_unauthenticated &&
      options_.max_unauthenticated != 0) {
    unauthenticated_.fetch_sub(1);
    connections_.fetch_sub(1);
    return Refusal::kUnauthenticated;
  }
  ticket.admitted_ = true;
  ticket.unauthenticated_ = true;
  return Refusal::kNone;
}

ConnectionLimits::Ticket& ConnectionLimits::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Release();
  limits_ = std::exchange(other.limits_, nullptr);
  admitted_ = other.admitted_;
  unauthenticated_ = other.unauthenticated_;
  counted_by_address_ = other.counted_by_address_;
  address_ = other.address_;
  return *this;
}

ConnectionLimits::Refusal ConnectionLimits::Ticket::ClaimAddress(const IpAddress& address) {
  const size_t most = limits_->options_.max_per_ip;
  if (counted_by_address_) return Refusal::kNone;
  address_ = address;
  if (most == 0) return Refusal::kNone;
  absl::MutexLock lock(&limits_->mu_);
  size_t& count = limits_->by_address_[address.Household()];
  if (count >= most) return Refusal::kAddress;
  ++count;
  counted_by_address_ = true;
  return Refusal::kNone;
}

void ConnectionLimits::Ticket::Authenticated() {
  if (limits_ == nullptr || !unauthenticated_) return;
  unauthenticated_ = false;
  limits_->unauthenticated_.fetch_sub(1);
}

void ConnectionLimits::Ticket::Release() {
  if (limits_ == nullptr) return;
  Authenticated();
  if (std::exchange(admitted_, false)) limits_->connections_.fetch_sub(1);
  limits_->sockets_.fetch_sub(1);
  if (counted_by_address_) {
    counted_by_address_ = false;
    absl::MutexLock lock(&limits_->mu_);
    const auto it = limits_->by_address_.find(address_.Household());
    if (--it->second == 0) limits_->by_address_.erase(it);
  }
  limits_ = nullptr;
}

}  // namespace msab
