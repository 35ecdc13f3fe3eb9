#pragma once

#include <kestrion/actors/agent.hpp>
#include <kestrion/actors/capsule.hpp>
#include <kestrion/actors/drafts.hpp>
#include <kestrion/actors/fan_out.hpp>
#include <kestrion/actors/fork.hpp>
#include <kestrion/actors/rate_limit.hpp>
#include <kestrion/actors/replay.hpp>
#include <kestrion/actors/retention.hpp>
#include <kestrion/actors/run_result.hpp>
#include <kestrion/actors/trace.hpp>
#include <kestrion/actors/watching.hpp>
#include <kestrion/messages/command.hpp>
#include <kestrion/messages/redactor.hpp>
#include <kestrion/scheduler/restart_policy.hpp>
#include <kestrion/scheduler/schedule.hpp>
#include <kestrion/scheduler/token_scheduler.hpp>
#include <kestrion/store/event_store.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caf {
class actor_system;
} // namespace caf

namespace kestrion {

struct runtime_options {
  /// `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory:`.
  std::string store = "sqlite:///kestrion.db";
  /// Continue what is unfinished in the store, and start what its schedules
  /// say, of the agents known here.
  bool recover = true;
  /// Runs that wait for people leave memory until somebody decides.
  bool passivate = true;
  /// Tools that may block at the same time; at least 1.
  std::size_t tool_threads_max = 16;
  /// Threads of the actor system, if the runtime owns it; 0: one a core.
  std::size_t actor_threads = 0;
  /// What becomes of runs whose actors crash.
  restart_spec restarts = {};
  /// What the models' servers allow. All runs of the runtime share it, so that
  /// no server has to refuse a call; what is not declared is learnt from what
  /// servers say.
  std::vector<rate_limit> limits = {};
  /// Shares of tenants where limits make calls wait: 0.001 to 1,000; who is not
  /// named has 1.
  std::map<std::string, double> tenant_weights = {};
  /// What tenants may use in the life of this runtime, each as a whole. A call
  /// that no longer fits fails its run with `limit_exceeded`.
  std::map<std::string, budget_limits> tenant_budgets = {};
  scheduler_options scheduling = {};
  /// What the runs of this runtime never record: values of secrets, and what
  /// fits patterns. It can't be found in logs, traces, messages or files of
  /// runs; models do not see it either.
  redaction_rules redaction = {};
  /// Where to serve metrics in Prometheus' text format, at /metrics:
  /// "127.0.0.1:9464". Empty: nowhere. Nobody has to log in there.
  std::string metrics = {};
};

/// What a run is started with, beside its prompt.
struct start_options {
  /// Starting again with the same agent and key gives the run that exists.
  std::optional<std::string> key = {};
  std::optional<std::string> tenant = {};
  std::map<std::string, std::string> labels = {};
  /// Where limits make model calls wait: interactive if a person waits for it.
  call_lane lane = call_lane::batch;
  int priority = 0; ///< Likewise, within its tenant: -100 to 100.
  /// By when the run has to have ended, with all that it starts. It fails with
  /// `timeout` when that passes, and sooner where limits would make its model
  /// call wait for longer.
  std::optional<timestamp> deadline = {};
};

/// One of several runs to be started.
struct run_request {
  std::string agent;
  message input; ///< `user_message("...")`
  start_options options = {};
};

/// How somebody steers a run.
struct steer_options {
  std::string by; ///< Required.
  /// Gives up the model call that is under way, so that the next one, at once,
  /// holds what was said.
  bool interrupt = false;
};

class runtime;

/// A handle to one run; copies are cheap. Must not outlive its runtime.
/// @par Threading Any thread.
class run {
public:
  const run_id& id() const { return id_; }

  /// Blocks until the run has ended, waits for a person, or is parked.
  run_result wait() const;

  /// As `wait`, but not longer than `limit`. @returns Nothing if that passed.
  std::optional<run_result> wait_for(duration limit) const;

  /// Blocks until the run has ended, whoever has to decide meanwhile.
  run_result wait_until_ended() const;

  /// As `wait_until_ended`, without blocking: holds what that returns, or the
  /// `failure` that it throws. Does not wait when it goes, nor hinder the
  /// runtime from going: then it holds `unavailable`.
  std::future<run_result> ended() const;

  /// The answers of its model while they are made, to loop over; from the one
  /// that is being made on, and until the run rests as `wait` has it. Only of
  /// an agent that `streams`, and of a run that lives in this process.
  draft_range drafts() const;

  /// Where the run is now, as the store has it.
  run_result result() const;

private:
  friend class runtime;
  run(runtime& owner, run_id id) : runtime_(&owner), id_(id) {}

  runtime* runtime_;
  run_id id_;
};

/// Runs agents, durably, many at once: the composition of store, actors and
/// tools, and the face of all that.
///
/// Every call that changes a run returns once the change is durable. All calls
/// throw `failure` for what they can't do; its sentence says why. For a run
/// that is running in another process, or on which somebody there decided at
/// the same moment, that is `conflict`.
/// @par Threading Any thread, but for construction and destruction.
class runtime {
public:
  /// Opens the store, starts an actor system and continues unfinished runs.
  /// @throws failure  What `open_store` or an agent's `build` says; an agent
  ///   registered twice.
  runtime(const runtime_options& options, const std::vector<agent>& agents);

  /// As above, inside the embedder's actor system, which must outlive it.
  runtime(caf::actor_system& system, const runtime_options& options,
          const std::vector<agent>& agents);

  /// Stops: running effects are asked to stop, runs leave memory. Waits for
  /// tools that ignore their stop token. What is durable goes on with the next
  /// runtime.
  ~runtime();

  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // -- runs -------------------------------------------------------------------

  /// @throws failure  `not_found` for an unknown agent, `invalid_argument` for
  ///   an empty prompt, `io`.
  run start(std::string_view agent, std::string prompt,
            start_options options = {});
  run start(std::string_view agent, message input, start_options options = {});

  /// Starts runs, some at a time, and blocks until all have ended or are
  /// parked. @returns Where they are, in the order of the requests. One that
  ///   could not be started has no id, and failed.
  /// @throws failure  `invalid_argument` for options that make no sense.
  std::vector<run_result> all_of(std::vector<run_request> requests,
                                 fan_out_options options = {});

  /// Starts runs, some at a time, and blocks until the first has completed (or
  /// ended, as `options` say) and the others are cancelled, durably. If none
  /// completes, it is the last one to end. @throws As `all_of`
  run_result first_of(std::vector<run_request> requests,
                      fan_out_options options = {});

  /// Calls `on_event` for each event that passes the filter, after it is
  /// durable, and `on_missed` if that was so slow that some were left out.
  /// @returns What keeps it up, and ends it.
  /// @throws failure  `not_found`, `invalid_argument`
  /// @par Threading The calls come one at a time, on a thread of their own:
  /// they
  ///   may block, and hinder no run. One that throws ends the subscription.
  subscription watch(event_filter filter,
                     std::function<void(const run_event&)> on_event,
                     std::function<void(const events_missed&)> on_missed = {});

  /// Calls `on_update` for what is new of the answers that the model of a run
  /// makes: first the draft that is being made, whole, then what follows. Only
  /// of an agent that `streams`, and of a run that lives in this process.
  ///
  /// A slow one slows nobody: it gets larger pieces, and of drafts that it has
  /// heard nothing of the last 8 (`drafts_behind_max`).
  /// @returns What keeps it up, and ends it. @throws failure  `not_found`
  /// @par Threading As `watch`.
  subscription watch_drafts(const run_id& id,
                            std::function<void(const draft_update&)> on_update);

  /// The run with this id. @throws failure  `not_found`
  run find(const run_id& id);
  run find(std::string_view id);

  /// In the order of their starts. @throws failure  `io`, `corrupt`
  std::vector<run_row> list(const run_query& query = {}) const;

  /// @throws failure  `not_found`, `io`, `corrupt`
  run_result result(const run_id& id) const;
  std::vector<recorded_event> events(const run_id& id) const;
  run_trace trace(const run_id& id) const;

  /// Decides the log of a run anew, with what this program and its agents are
  /// now: what to look at before an upgrade. Nothing is called or written.
  /// @throws failure  `not_found` for an unknown run or agent, `io`, `corrupt`
  replay_report replay(const run_id& id) const;

  /// Replays the runs that the query finds, page by page.
  /// @returns Those that would not come out the same. One whose agent is not
  ///   known here, or whose log can't be read, diverges at its first event.
  /// @throws failure  `io`, `corrupt` of the list itself
  std::vector<replay_report> divergences(run_query query = {}) const;

  /// Makes a run that begins with the first events of another: what if it had
  /// gone on otherwise? It is parked, so nothing happens in it, however long;
  /// messages may be said to it meanwhile. `unpark` arms it: then it goes on as
  /// after a crash at this place, with children and effects of its own. What
  /// the other used up counts against its limits, too.
  /// @param at  The last event that is taken over. What was decided at once is
  ///   taken over as a whole, and a run is not forked after its end.
  /// @throws failure  `not_found`; `invalid_argument`, naming the nearest
  ///   places, or without `by`; `io`, `corrupt`
  run fork(const run_id& id, std::uint64_t at, const fork_options& options);

  /// Compares each event of a run with its hash, and the row of the run with
  /// its log: whether anybody changed what was recorded.
  /// @returns The first event that does not fit, if there is one, and the hash
  ///   of all that fit: keep it elsewhere, and a later `verify` shows that
  ///   nobody rewrote the whole log.
  /// @throws failure  `not_found`, `io`, `corrupt`
  log_check verify(const run_id& id) const;

  /// Verifies the runs that the query finds, page by page.
  /// @returns Those that do not fit. @throws failure  `io`; `corrupt` of the
  ///   list itself
  std::vector<log_check> flaws(run_query query = {}) const;

  /// Writes a run, with the blobs that it names, to one file that another store
  /// can import: to be kept, looked at or replayed where no keys are. What the
  /// run was told and answered is in it, as in the log.
  /// @throws failure  `not_found`, `io`; `corrupt` if the run does not `verify`
  void export_run(const run_id& id, const std::string& path,
                  const capsule_options& options = {}) const;

  /// Adds the runs of a file to the store, under their ids. One that has not
  /// ended comes parked: the store that it is from may go on with it. Importing
  /// the same again is nothing.
  /// @returns Their ids. @throws failure  `io`, `unsupported`, `corrupt` (the
  ///   file was changed or cut); `conflict` if one is here with another log;
  ///   nothing was added then
  std::vector<run_id> import_runs(const std::string& path);

  /// Erases runs that have ended, after archiving them if wanted, and gives the
  /// space back to the disk. A key that they were started with is free again.
  /// @throws failure  `invalid_argument`, `io`, `corrupt`
  retention_report retain(const retention_rule& rule);

  /// Keeps bytes in the store, durable, under their SHA-256: what an
  /// `image_part` or a `document_part` names as its `blob`. Keeping the same
  /// again is nothing. It goes with the last run that names it, when that is
  /// erased.
  /// @returns The hash, 64 hexadecimal digits. @throws failure  `io`
  std::string put_blob(std::string_view bytes);

  /// @throws failure  `not_found`; `corrupt` if other bytes are there; `io`
  std::string get_blob(std::string_view hash) const;

  // -- schedules --------------------------------------------------------------

  /// Starts runs by the clock from now on, durably: each tick starts one run,
  /// whoever crashes, and whichever of the store's processes that know the
  /// agent are up. Said again with the same content, which a program does at
  /// each start, it changes nothing; other content replaces what is there, and
  /// what was started stays started. Other times, or another agent, begin now.
  /// @throws failure  `not_found` for an unknown agent; `invalid_argument` for
  ///   a cron expression, zone, interval, name or prompt that makes no sense,
  ///   or a time that has passed; `limit_exceeded` (`schedules_max`); `io`,
  ///   `corrupt`, as all below.
  void schedule(schedule_request request);

  /// Forgets a schedule. Runs that it has started go on.
  /// @throws failure  `not_found`, as all below.
  void unschedule(std::string_view name);

  /// No tick starts a run until it is resumed, but for one that is just about
  /// to. Paused twice is paused. @throws failure  `invalid_argument` without
  /// `by`
  void pause_schedule(std::string_view name, std::string by);

  /// Goes on with the next tick: those that passed meanwhile were not missed.
  /// `backfill_schedule` starts them.
  void resume_schedule(std::string_view name);

  /// Starts a run now, beside the ticks, also while it is paused.
  run trigger_schedule(std::string_view name);

  /// Starts a run for each tick from `from` to before `until` that has none
  /// yet, also while it is paused. Returns when that is durable; the runs
  /// follow.
  /// @throws failure  `invalid_argument` unless from < until <= now;
  ///   `limit_exceeded` for more ticks than 1,000 (`ticks_due_max`).
  void backfill_schedule(std::string_view name, timestamp from,
                         timestamp until);

  /// All schedules of the store, by name.
  std::vector<schedule_status> schedules() const;

  // -- limits -----------------------------------------------------------------

  /// Adds limits, or changes those of the same names; what was used stays used.
  /// @throws failure  `invalid_argument`: an amount below 1, say; limits before
  ///   it hold then. `unavailable`: the scheduler is being started anew.
  void declare(const rate_limit& limit);

  /// Why the model call of a run waits, how many go before it and how long it
  /// will be; nothing if it does not wait.
  std::optional<call_waiting> waiting(const run_id& id) const;

  /// What the scheduler has counted. @throws failure  `unavailable`, as above
  scheduler_figures figures() const;

  /// The port that metrics are served at; 0 if they are not.
  int metrics_port() const;

  // -- people -----------------------------------------------------------------

  /// Everything that waits for an approval, of all runs in the store but parked
  /// ones.
  std::vector<pending_approval> approvals() const;

  /// Says yes. The run goes on by itself; the same decision twice is one, if it
  /// names its call.
  /// @throws failure  `not_found` if nothing waits for it, `forbidden` for a
  ///   role that is not asked for, `refused` if it was decided otherwise, for
  ///   other arguments, too late or for a run that ended, `invalid_argument`
  ///   without `by` or with edited arguments that do not fit.
  void approve(const run_id& id, approval decision);

  /// Says no; the model gets the reason and goes on. @throws As `approve`
  void deny(const run_id& id, denial decision);

  /// Says what became of a call in doubt. @throws failure  `not_found`,
  ///   `refused`, `invalid_argument`
  void resolve(const run_id& id, doubt_resolution decision);

  /// Answers a question that the model asked.
  /// @throws failure  `invalid_argument` if it is none of the choices; else as
  ///   `approve`.
  void answer(const run_id& id, question_answer answer);

  /// Tells a run something while it goes on: the model reads it with its next
  /// call. Said twice, it is heard twice.
  /// @throws failure  `refused` if the run has ended.
  void steer(const run_id& id, message what, steer_options options);
  void steer(const run_id& id, std::string what, steer_options options);

  /// Tells a run that something happened; the model reads name and data.
  /// @throws failure  As `steer`.
  void signal(const run_id& id, std::string name, std::string data,
              std::string by);

  /// No effect starts any more; running ones are asked to stop.
  /// @throws failure  `refused` if the run ended otherwise.
  void cancel(const run_id& id, std::string by, std::string reason = {});

  /// Lets a parked run live again. @throws failure  `refused`
  void unpark(const run_id& id, std::string by);

private:
  friend class run;
  friend struct runtime_access;
  struct impl;

  explicit runtime(std::unique_ptr<impl> made);

  run_result wait(const run_id& id, bool until_ended);
  std::optional<run_result> wait_for(const run_id& id, duration limit);
  std::future<run_result> ended(const run_id& id);
  draft_range drafts(const run_id& id);
  void tell(const run_id& id, command c);

  std::unique_ptr<impl> impl_;
};

} // namespace kestrion
