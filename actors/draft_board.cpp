#include <kestrion/actors/draft_board.hpp>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace kestrion {

struct draft_page {
  /// Pieces of one kind and index, added up.
  struct block {
    delta_kind kind{};
    std::size_t index = 0;
    std::string text;
  };

  std::string call;
  std::int64_t attempt = 1;
  std::uint64_t number = 0;
  draft_state state = draft_state::growing;
  std::vector<block> blocks = {}; ///< In the order of their first pieces.
};

struct draft_place {
  struct bookmark {
    std::shared_ptr<const draft_page> page;
    std::vector<std::size_t> taken = {}; ///< Bytes, of each block.
    bool is_known = false; ///< Something of it was taken, if only that it is.
  };

  std::deque<bookmark> unread; ///< All but the last one have ended.
  std::function<void()> wake;
};

// -- the desk -----------------------------------------------------------------

/// One run's. All that happens at it happens one at a time, so that nobody can
/// come between a piece and those who have to see it.
class draft_desk {
public:
  draft_desk(const run_id& run, std::weak_ptr<draft_desks> desks)
    : run_(run), desks_(std::move(desks)) {}
  ~draft_desk();
  draft_desk(const draft_desk&) = delete;
  draft_desk& operator=(const draft_desk&) = delete;

  void begin(const std::shared_ptr<draft_page>& page);
  void add(draft_page& page, model_delta piece);
  void end(draft_page& page, draft_state how);

  void join(draft_place& who);
  void leave(draft_place& who);
  std::optional<draft_update> take(draft_place& who,
                                   std::function<void()> wake);

private:
  using wakes = std::vector<std::function<void()>>;

  /// Of those who wait for `page`, each once.
  wakes take_wakes(const draft_page& page);

  const run_id run_;
  const std::weak_ptr<draft_desks> desks_;
  std::mutex mutex_;
  std::shared_ptr<draft_page> open_; ///< The draft that is being made, if any.
  std::vector<draft_place*> readers_;
};

namespace {

void call_all(const std::vector<std::function<void()>>& wakes) {
  for (const auto& wake : wakes)
    wake();
}

/// Leaves out what the reader has heard nothing of, the oldest first.
void give(draft_place& who, std::shared_ptr<const draft_page> page) {
  auto& unread = who.unread;
  unread.push_back({std::move(page)});
  if (unread.size() > drafts_behind_max)
    unread.erase(unread.begin() + (unread.front().is_known ? 1 : 0));
}

/// What the bookmark does not have yet, a piece for each block.
std::vector<model_delta> take_pieces(draft_place::bookmark& mark) {
  const auto& blocks = mark.page->blocks;
  std::vector<model_delta> out;
  mark.taken.resize(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto from = std::exchange(mark.taken[i], blocks[i].text.size());
    if (from < blocks[i].text.size())
      out.push_back(
        {blocks[i].kind, blocks[i].index, from, blocks[i].text.substr(from)});
  }
  return out;
}

} // namespace

draft_desk::~draft_desk() {
  const auto desks = desks_.lock();
  if (!desks)
    return;
  const std::lock_guard lock{desks->mutex};
  const auto ours = desks->by_run.find(run_);
  if (ours != desks->by_run.end() && ours->second.expired())
    desks->by_run.erase(ours); // Else it is another one's by now.
}

draft_desk::wakes draft_desk::take_wakes(const draft_page& page) {
  wakes out;
  for (auto* reader : readers_)
    if (reader->wake && !reader->unread.empty()
        && reader->unread.back().page.get() == &page)
      out.push_back(std::exchange(reader->wake, nullptr));
  return out;
}

void draft_desk::begin(const std::shared_ptr<draft_page>& page) {
  wakes woken;
  {
    const std::lock_guard lock{mutex_};
    if (open_) // Its pen is about to go.
      open_->state = draft_state::dropped;
    open_ = page;
    for (auto* reader : readers_)
      give(*reader, page);
    woken = take_wakes(*page);
  }
  call_all(woken);
}

void draft_desk::add(draft_page& page, model_delta piece) {
  wakes woken;
  {
    const std::lock_guard lock{mutex_};
    if (page.state != draft_state::growing)
      return; // Of an attempt that was given up.
    auto& blocks = page.blocks;
    // Mostly it is the one that was written last.
    const auto block =
      std::find_if(blocks.rbegin(), blocks.rend(), [&](const auto& x) {
        return x.kind == piece.kind && x.index == piece.index;
      });
    if (block == blocks.rend())
      blocks.push_back({piece.kind, piece.index, std::move(piece.text)});
    else
      block->text += piece.text;
    woken = take_wakes(page);
  }
  call_all(woken);
}

void draft_desk::end(draft_page& page, draft_state how) {
  wakes woken;
  {
    const std::lock_guard lock{mutex_};
    if (page.state != draft_state::growing)
      return;
    page.state = how;
    if (open_.get() == &page)
      open_.reset();
    woken = take_wakes(page);
  }
  call_all(woken);
}

void draft_desk::join(draft_place& who) {
  const std::lock_guard lock{mutex_};
  readers_.push_back(&who);
  if (open_)
    give(who, open_);
}

void draft_desk::leave(draft_place& who) {
  const std::lock_guard lock{mutex_};
  std::erase(readers_, &who);
}

std::optional<draft_update> draft_desk::take(draft_place& who,
                                             std::function<void()> wake) {
  const std::lock_guard lock{mutex_};
  who.wake = nullptr;
  if (!who.unread.empty()) {
    auto& mark = who.unread.front();
    const auto& page = *mark.page;
    draft_update out{run_,        page.call,  page.attempt,
                     page.number, page.state, take_pieces(mark)};
    const bool has_ended = page.state != draft_state::growing;
    const bool is_known = std::exchange(mark.is_known, true);
    if (has_ended)
      who.unread.pop_front();
    if (has_ended || !is_known || !out.pieces.empty())
      return out;
  }
  who.wake = std::move(wake);
  return std::nullopt;
}

// -- who sits at it -----------------------------------------------------------

draft_pen::draft_pen(std::shared_ptr<draft_desk> desk, std::string call,
                     std::int64_t attempt, std::uint64_t number)
  : desk_(std::move(desk)), page_(std::make_shared<draft_page>(
                              draft_page{std::move(call), attempt, number})) {
  desk_->begin(page_);
}

draft_pen::~draft_pen() {
  desk_->end(*page_, draft_state::dropped);
}

delta_sink draft_pen::sink() const {
  return [desk = desk_, page = page_](model_delta piece) {
    desk->add(*page, std::move(piece));
  };
}

void draft_pen::complete() {
  desk_->end(*page_, draft_state::completed);
}

draft_watch::draft_watch(std::shared_ptr<draft_desk> desk)
  : desk_(std::move(desk)), reader_(std::make_unique<draft_place>()) {
  desk_->join(*reader_);
}

draft_watch::~draft_watch() {
  desk_->leave(*reader_);
}

std::optional<draft_update> draft_watch::take(std::function<void()> wake) {
  return desk_->take(*reader_, std::move(wake));
}

std::unique_ptr<draft_pen>
draft_board::begin(const run_id& run, std::string call, std::int64_t attempt) {
  return std::make_unique<draft_pen>(desk_of(run), std::move(call), attempt,
                                     ++last_number_);
}

std::unique_ptr<draft_watch> draft_board::watch(const run_id& run) {
  return std::make_unique<draft_watch>(desk_of(run));
}

std::size_t draft_board::runs() const {
  const std::lock_guard lock{desks_->mutex};
  return desks_->by_run.size();
}

std::shared_ptr<draft_desk> draft_board::desk_of(const run_id& run) {
  const std::lock_guard lock{desks_->mutex};
  auto& slot = desks_->by_run[run];
  auto desk = slot.lock();
  if (!desk)
    slot = desk = std::make_shared<draft_desk>(run, desks_);
  return desk;
}

} // namespace kestrion
