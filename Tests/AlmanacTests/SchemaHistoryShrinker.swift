import Almanac

/// A history that fails, as a person reads it and as it can be played again.
struct FailedHistory {
  let script: HistoryScript
  let failure: HistoryFailure
  /// What was done up to the failure, with what came of it.
  let trace: [String]

  var text: String { "\(failure)\n\(trace.joined(separator: "\n"))" }
}

extension HistoryScript {
  /// Draws a history by playing it. - Returns: the failure, nil when all is well, and how often which case came up.
  static func played(seed: UInt64) -> (failed: FailedHistory?, tally: [String: Int]) {
    var generator = HistoryGenerator(seed: seed)
    let start = generator.start()
    return watched(start) { player in
      var number = 0
      for _ in 0..<generator.operationCount() {
        for action in generator.next(player) {
          number += 1
          try player.play(HistoryOperation(number: number, action: action))
        }
      }
    }
  }

  /// Plays it as it is.
  func failure() -> FailedHistory? {
    Self.watched(start) { player in
      for operation in operations { try player.play(operation) }
    }.failed
  }

  private static func watched(
    _ start: HistoryStart, _ body: (HistoryPlayer) throws -> Void
  ) -> (failed: FailedHistory?, tally: [String: Int]) {
    var player: HistoryPlayer?
    do {
      let made = try HistoryPlayer(start)
      player = made
      try body(made)
      try made.finish()
      return (nil, made.tally)
    } catch {
      let failure = error as? HistoryFailure ?? HistoryFailure(kind: "an error", detail: "\(error)")
      let script = player?.script ?? HistoryScript(start: start)
      return (FailedHistory(script: script, failure: failure, trace: player?.trace ?? [start.text]), player?.tally ?? [:])
    }
  }

  /// Shorter scripts, the shortest first: without a stretch of operations, without rows, changes, cells or first columns.
  fileprivate var smaller: [HistoryScript] {
    var scripts: [HistoryScript] = []
    var length = operations.count / 2
    while length > 0 {
      for from in stride(from: 0, to: operations.count, by: length) {
        var script = self
        script.operations.removeSubrange(from..<min(from + length, operations.count))
        scripts.append(script)
      }
      length /= 2
    }
    for index in operations.indices {
      for action in operations[index].action.smaller {
        var script = self
        script.operations[index].action = action
        scripts.append(script)
      }
    }
    return scripts + start.smaller.map { HistoryScript(start: $0, operations: operations) }
  }
}

extension HistoryStart {
  fileprivate var smaller: [HistoryStart] {
    var starts: [HistoryStart] = []
    func add(_ change: (inout HistoryStart) -> Void) {
      var start = self
      change(&start)
      starts.append(start)
    }
    if key != .number { add { $0.key = .number } }
    if tails != .standard { add { $0.tails = .standard } }
    if rows.count > 1 { for index in rows.indices { add { $0.rows.remove(at: index) } } }
    for index in columns.indices { add { $0.columns.remove(at: index) } }
    for index in columns.indices where columns[index].isRequired { add { $0.columns[index].isRequired = false } }
    for row in rows.indices {
      for name in rows[row].cells.keys.sorted() where rows[row].cells[name] != 1 { add { $0.rows[row].cells[name] = 1 } }
    }
    return starts
  }
}

extension HistoryAction {
  fileprivate var smaller: [HistoryAction] {
    switch self {
    case .evolve(let edits, let keeps):
      var actions: [HistoryAction] = []
      for index in edits.indices where edits.count > 1 {
        var fewer = edits
        fewer.remove(at: index)
        actions.append(.evolve(fewer, keepsPreviousNames: keeps))
      }
      if keeps { actions.append(.evolve(edits, keepsPreviousNames: false)) }
      return actions
    case .write(let mode, let rows, let format):
      var actions: [HistoryAction] = format == "csv" ? [] : [.write(mode, rows, format: "csv")]
      for index in rows.indices {
        var fewer = rows
        let row = fewer.remove(at: index)
        if !fewer.isEmpty { actions.append(.write(mode, fewer, format: format)) }
        for name in row.cells.keys.sorted() {
          var changed = rows
          changed[index].cells[name] = nil
          actions.append(.write(mode, changed, format: format))
        }
      }
      return actions
    case .merge(let name, let strategy): return strategy == .fail ? [] : [.merge(name, .fail)]
    case .revert(let number, let strategy): return strategy == .fail ? [] : [.revert(number, .fail)]
    case .pick(let number, let strategy): return strategy == .fail ? [] : [.pick(number, .fail)]
    case .undo(let count): return count > 1 ? [.undo(1)] : []
    case .branch, .switchTo, .redo, .seal, .collect: return []
    }
  }
}

extension FailedHistory {
  /// The same failure with as little as possible before it: whatever can be left out, is.
  /// - Parameter limit: how many histories may be played for it.
  func shrunk(limit: Int = 600) -> FailedHistory {
    var best = self
    var left = limit
    var isSmaller = true
    while isSmaller && left > 0 {
      isSmaller = false
      for script in best.script.smaller {
        guard left > 0 else { break }
        left -= 1
        guard let other = script.failure(), other.failure.kind == failure.kind else { continue }
        best = other
        isSmaller = true
        break
      }
    }
    return best
  }
}
