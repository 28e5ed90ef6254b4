import Almanac
import ArgumentParser
import JSON

private func said(_ report: UndoReport, _ global: GlobalOptions) throws {
  if global.json {
    return Terminal.out([
      "branch": .string(report.branch), "from": .string(report.from.description), "to": .string(report.to.description),
    ])
  }
  Terminal.out("Branch \(report.branch) is back at \(report.to.short), from \(report.from.short)")
}

struct Undo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take the current branch back to where it was before its last moves.",
    discussion: "Nothing is lost: a second undo goes further back, `almanac redo` forward again, and the ref log keeps every state.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "How many moves.") var count = 1

  func run() throws { try said(global.open().undo(count), global) }
}

struct Redo: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Take back the last undo.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "How many undos.") var count = 1

  func run() throws { try said(global.open().redo(count), global) }
}

struct Reflog: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the moves of a branch or tag, newest first.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The branch or tag (default: the current branch).") var ref: String?
  @Flag(help: "The moves of every ref.") var all = false

  func run() throws {
    let repository = try global.open()
    if all && ref != nil { throw AlmanacError(.usage, "Name a ref or give --all, not both") }
    let entries = try repository.reflog(all ? nil : ref ?? repository.headBranch()).reversed()
    if global.json {
      return Terminal.out(
        .array(
          entries.map {
            [
              "ref": .string($0.ref), "old": $0.old.map { .string($0.description) } ?? .null,
              "new": $0.new.map { .string($0.description) } ?? .null, "time": .string(Text.time($0.timeMicros)),
              "reason": .string($0.reason),
            ]
          }))
    }
    if entries.isEmpty { return Terminal.err("No moves yet") }
    Terminal.out(
      Terminal.table(entries.map { [Text.time($0.timeMicros), $0.ref, $0.new?.short ?? "deleted", $0.reason] }))
  }
}
