LugeCommand.launch()
