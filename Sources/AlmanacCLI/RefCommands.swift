import Almanac
import ArgumentParser
import JSON

/// What `branch` and `tag` share: list, make, delete.
private func list(_ kind: RefKind, _ global: GlobalOptions) throws {
  let repository = try global.open()
  let refs = try repository.refs(kind)
  let head = kind == .branch ? try repository.headBranch() : nil
  if global.json {
    return Terminal.out(
      .array(refs.map { ["name": .string($0.name), "commit": .string($0.commit.description), "current": .bool($0.name == head)] }))
  }
  for ref in refs { Terminal.out("\(ref.name == head ? "*" : " ") \(ref.name)  \(ref.commit.short)") }
}

private func said(_ text: String, _ name: String, _ global: GlobalOptions) throws {
  if global.json { return Terminal.out(["name": .string(name), "commit": .string(try global.open().resolve(name).description)]) }
  Terminal.out(text)
}

struct Branch: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List, make, delete or switch branches.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The branch to make (none: list).") var name: String?
  @Argument(help: "Where it starts (default: the current branch).") var start: String?
  @Flag(name: [.short, .long], help: "Delete the branch.") var delete = false
  @Flag(name: [.short, .long], help: "Make it the current branch; commands without --branch then use it.") var `switch` = false

  func run() throws {
    guard let name else { return try list(.branch, global) }
    let repository = try global.open()
    if delete {
      try repository.deleteRef(name, kind: .branch)
      if global.json { return Terminal.out(["deleted": .string(name)]) }
      return Terminal.out("Deleted branch \(name)")
    }
    let exists = try repository.refs(.branch).contains { $0.name == name }
    if !`switch` || !exists { try repository.createBranch(name, at: start) }
    if `switch` { try repository.switchBranch(to: name) }
    try said(`switch` ? "Switched to branch \(name)" : "Made branch \(name) at \(try repository.resolve(name).short)", name, global)
  }
}

struct Tag: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List, make or delete tags.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The tag to make (none: list).") var name: String?
  @Argument(help: "The commit it names (default: the current branch).") var target: String?
  @Flag(name: [.short, .long], help: "Delete the tag.") var delete = false

  func run() throws {
    guard let name else { return try list(.tag, global) }
    let repository = try global.open()
    if delete {
      try repository.deleteRef(name, kind: .tag)
      if global.json { return Terminal.out(["deleted": .string(name)]) }
      return Terminal.out("Deleted tag \(name)")
    }
    try repository.createTag(name, at: target)
    try said("Made tag \(name) at \(try repository.resolve(name).short)", name, global)
  }
}
