#pragma once

#include <kestrion/actors/scheduler_protocol.hpp>
#include <kestrion/store/event_store.hpp>

#include <string>
#include <vector>

/// Slices of limits that processes share, leased through their store. A process
/// that does not renew has nothing once its lease is over, and others get its
/// slice when servers have forgotten what it used.
namespace kestrion {

/// How long a slice is good for without being renewed.
inline constexpr duration limit_lease_length = std::chrono::seconds{10};

/// Renews in one transaction.
/// @returns A lease for each need, in their order.
/// @par Errors `io`; `corrupt` if what the store has is no such leases
result<std::vector<limit_lease>> renew_leases(event_store& store,
                                              const lease_limits& x);

/// Gives the slices of a process that ends back to the others.
/// @par Errors `io`, `corrupt`
result<void> leave_limits(event_store& store, const std::string& process,
                          timestamp now);

} // namespace kestrion
