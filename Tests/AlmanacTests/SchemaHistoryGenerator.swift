import Almanac
import Tables

/// Draws histories: what is done next follows from what is there, so that drops are met by edits, reverts and merges.
struct HistoryGenerator {
  private var random: SplitMix
  /// In some histories few names and types are in use, so that columns of one name meet often.
  private let names: [String]
  private let types: [HistoryType]
  /// Whether rows come after the contract, at any time and on any branch: one history in four.
  private let isLate: Bool

  init(seed: UInt64) {
    // Drawn apart, so that it changes nothing else in a seed's history.
    var other = SplitMix(seed ^ 0x6c61_7465)
    isLate = Int.random(in: 0..<4, using: &other) == 0
    var random = SplitMix(seed)
    let isNarrow = Bool.random(using: &random)
    names = isNarrow ? Array(Self.names.prefix(3)) : Self.names
    types = isNarrow ? Array(Self.types.shuffled(using: &random).prefix(2)) : Self.types
    self.random = random
  }

  static let names = ["a", "b", "c", "d", "e"]
  static let branches = ["main", "dev", "fix"]
  private static let types: [HistoryType] = [.int32, .int32, .int32, .int64, .float32, .float32, .float64, .utf8, .bool]

  private mutating func chance(_ part: Int, of whole: Int) -> Bool { Int.random(in: 0..<whole, using: &random) < part }
  private mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }

  mutating func start() -> HistoryStart {
    let first = names.shuffled(using: &random).prefix(Int.random(in: 2...4, using: &random))
    var start = HistoryStart(
      key: chance(2, of: 3) ? .number : pick(HistoryStart.KeyShape.allCases), tails: pick(HistoryStart.Tails.allCases),
      columns: first.map { ($0, pick(types), chance(1, of: 6)) }, rows: [])
    let keys = (0..<HistoryStart.keyCount).shuffled(using: &random).prefix(Int.random(in: 3...8, using: &random))
    start.rows = keys.sorted().map { HistoryRow(key: $0, cells: cells(Array(first))) }
    if isLate { start.rows = [] }
    return start
  }

  mutating func operationCount() -> Int { Int.random(in: 8...24, using: &random) }

  private mutating func cells(_ names: [String]) -> [String: Int] {
    // Few numbers, so that sides agree now and then; some of them need the wider type.
    Dictionary(
      uniqueKeysWithValues: names.map {
        ($0, chance(1, of: 8) ? Int.random(in: 30...33, using: &random) : Int.random(in: 0...9, using: &random))
      })
  }

  private mutating func rows(_ version: HistoryVersion, isNew: Bool, start: HistoryStart) -> [HistoryRow] {
    let there = (0..<HistoryStart.keyCount).filter { (version.rows[start.key($0)] != nil) != isNew }
    return there.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)).sorted().map { key in
      let names = version.valueFields.map(\.name)
      let few = isNew || chance(1, of: 5) ? names : Array(names.shuffled(using: &random).prefix(1))
      return HistoryRow(key: key, cells: cells(few))
    }
  }

  private mutating func edit(_ version: HistoryVersion) -> HistoryEdit {
    let names = version.valueFields.map(\.name)
    let free = self.names.filter { version.field(named: $0) == nil }
    let all = version.fields.map(\.name)
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<5: return .add(pick(free.isEmpty ? ["f"] : free), pick(types), at: Int.random(in: 0...all.count, using: &random))
    case 5..<11: return names.isEmpty ? .reorder(1) : .drop(pick(names))
    case 11..<14: return .rename(chance(1, of: 6) ? pick(all) : pick(names.isEmpty ? all : names), to: pick(free.isEmpty ? ["f"] : free))
    case 14..<17:
      let narrow = version.fields.filter { $0.type.wider != nil }.map(\.name)
      return narrow.isEmpty ? .add(pick(free.isEmpty ? ["f"] : free), .int32, at: 1) : .widen(pick(narrow))
    case 17..<19:
      let required = version.valueFields.filter(\.isRequired).map(\.name)
      return required.isEmpty ? .drop(pick(names.isEmpty ? ["a"] : names)) : .relax(pick(required))
    default: return .reorder(Int.random(in: 0..<1000, using: &random))
    }
  }

  private mutating func evolution(_ version: HistoryVersion) -> HistoryAction {
    var edits = [edit(version)]
    while chance(1, of: 4) { edits.append(edit(version)) }
    let names = version.valueFields.map(\.name)
    // A chain, as the second half of an exchange of two names.
    if names.count > 1, chance(1, of: 10), let free = self.names.first(where: { version.field(named: $0) == nil }) {
      let pair = names.shuffled(using: &random)
      edits = [.rename(pair[0], to: free), .rename(pair[1], to: pair[0])]
    }
    return .evolve(edits, keepsPreviousNames: chance(2, of: 3))
  }

  private mutating func strategy() -> MergeStrategy { chance(2, of: 3) ? .fail : pick([.ours, .theirs]) }

  /// An operation whose commit there still is, mostly one that changed columns.
  private mutating func number(_ player: HistoryPlayer) -> Int? {
    let all = player.reachableNumbers
    let hard = all.filter { player.changesColumns($0) }
    return (chance(2, of: 3) && !hard.isEmpty ? hard : all).randomElement(using: &random)
  }

  /// The next action, and how often another follows at once: both names of an exchange.
  mutating func next(_ player: HistoryPlayer) -> [HistoryAction] {
    let version = player.tip.version
    let others = player.branchNames.filter { $0 != player.head }
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<26: return [evolution(version)]
    case 26..<30:
      let names = version.valueFields.map(\.name).shuffled(using: &random)
      guard names.count > 1, let free = self.names.first(where: { version.field(named: $0) == nil }) else { return [.seal] }
      return [
        .evolve([.rename(names[0], to: free)], keepsPreviousNames: true),
        .evolve([.rename(names[1], to: names[0]), .rename(free, to: names[1])], keepsPreviousNames: chance(1, of: 2)),
      ]
    case 30..<52:
      let mode: ChangeMode = pick([.append, .append, .upsert, .upsert, .upsert, .upsert, .upsert, .delete, .delete, .replace])
      let isNew = mode == .append || chance(1, of: 6) && mode == .upsert || !version.isThere
      var changed = rows(version, isNew: isNew, start: player.script.start)
      if mode == .replace { changed += rows(version, isNew: false, start: player.script.start) }
      return [.write(mode, changed, format: pick(["csv", "jsonl", "parquet"]))]
    case 52..<58:
      let name = Self.branches.first { !player.branchNames.contains($0) }
      guard let name else { return [.switchTo(pick(others))] }
      return chance(1, of: 2) ? [.branch(name)] : [.branch(name), .switchTo(name)]
    case 58..<66: return others.isEmpty ? [.branch(Self.branches[1])] : [.switchTo(pick(others))]
    case 66..<76: return others.isEmpty ? [evolution(version)] : [.merge(pick(others), strategy())]
    case 76..<85: return number(player).map { [.revert($0, strategy())] } ?? [evolution(version)]
    case 85..<92: return number(player).map { [.pick($0, strategy())] } ?? [evolution(version)]
    case 92..<95: return [.undo(pick([1, 1, 2]))]
    case 95..<96: return [.redo(1)]
    case 96..<98: return [.seal]
    default: return [.collect(forgetsMoves: chance(1, of: 2))]
    }
  }
}
